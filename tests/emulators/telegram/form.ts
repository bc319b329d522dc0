import type { EmulatorRequest } from '../http.js';

export interface UploadedFile {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Buffer;
}

export interface CallParams {
  readonly values: Record<string, unknown>;
  /** Files by field name; `attach://name` in the values points at them. */
  readonly files: Map<string, UploadedFile>;
}

/** A Bot API call's parameters, whichever of its encodings the client chose. */
export async function readParams(request: EmulatorRequest): Promise<CallParams> {
  const type = String(request.headers['content-type'] ?? '');
  const files = new Map<string, UploadedFile>();
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(request.body), {
      headers: { 'content-type': type },
    }).formData();
    const values: Record<string, unknown> = {};
    for (const [name, value] of form) {
      if (typeof value === 'string') values[name] = parsed(value);
      else
        files.set(name, {
          name: value.name,
          mime: value.type,
          bytes: Buffer.from(await value.arrayBuffer()),
        });
    }
    return { values, files };
  }
  const query = Object.fromEntries([...request.query].map(([k, v]) => [k, parsed(v)]));
  if (type.startsWith('application/json') && request.body.length > 0)
    return { values: { ...query, ...JSON.parse(request.body.toString('utf8')) }, files };
  const form = new URLSearchParams(request.body.toString('utf8'));
  return {
    values: { ...query, ...Object.fromEntries([...form].map(([k, v]) => [k, parsed(v)])) },
    files,
  };
}

/** Form fields carry objects as JSON text. */
function parsed(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
