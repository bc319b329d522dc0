/** A script with a cookie jar, as curl -b jar -c jar would be. */
export function createHttpClient(url: string, headers: Record<string, string> = {}) {
  let cookie = '';

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      ...init,
      headers: {
        ...headers,
        ...(cookie ? { cookie } : {}),
        ...(init.headers as Record<string, string>),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      cookie = pair;
    }
    return response;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
  async function json(method: string, path: string, body?: unknown, more = {}): Promise<any> {
    const response = await send(method, `/api/v1${path}`, {
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, ...(text && JSON.parse(text)) };
  }

  async function upload(
    bytes: Uint8Array | Blob,
    fields: Record<string, string> = {},
    name = 'photo.jpg',
  ) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.append(key, value);
    const blob = bytes instanceof Blob ? bytes : new Blob([Uint8Array.from(bytes)]);
    form.append('photo', blob, name);
    const response = await send('POST', '/api/v1/photos', { body: form });
    // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
    const body = (await response.json()) as any;
    return { ...body, httpStatus: response.status, headers: response.headers };
  }

  return { send, json, upload, cookie: () => cookie };
}

export type HttpClient = ReturnType<typeof createHttpClient>;
