import { ApiError, api, networkFault, type PhotoAccepted, refusal, spoken } from '../api';

/** So much is sent at once: what a proxy collects before it passes it on, and a cut loses at most. */
const partBytes = 2_000_000;
/** A connection on which nothing moves for so long is dead. */
const silenceMs = 45_000;

/** An upload under way. */
export interface Sending {
  readonly done: Promise<PhotoAccepted>;
  abort(): void;
}

/** Where the server stands after a part: it has the photo, or so many bytes of it. */
type Step = { readonly accepted: PhotoAccepted } | { readonly offset: number };

/**
 * Send a file part by part, from where an earlier try ended.
 * @param goOn an earlier try may have left something there.
 * @param onProgress 0..1
 */
export function sendFile(
  id: string,
  file: Blob,
  fields: Record<string, string>,
  goOn: boolean,
  onProgress: (share: number) => void,
): Sending {
  let request: XMLHttpRequest | undefined;
  let aborted = false;
  const run = async (): Promise<PhotoAccepted> => {
    let offset = goOn ? await heldBytes(id) : 0;
    for (;;) {
      if (aborted) throw new ApiError('ABORTED', '');
      request = new XMLHttpRequest();
      const from = offset;
      const step = await sendPart(request, id, file, fields, from, (sent) =>
        onProgress(Math.min(1, (from + sent) / Math.max(1, file.size))),
      );
      if ('accepted' in step) return step.accepted;
      offset = step.offset;
    }
  };
  const abort = () => {
    aborted = true;
    request?.abort();
  };
  return { done: run(), abort };
}

/** Forget what the server has of an upload. */
export function giveUp(id: string): void {
  void api('DELETE', `/uploads/${id}`).catch(() => {});
}

async function heldBytes(id: string): Promise<number> {
  const response = await fetch(`/api/v1/uploads/${id}`).catch(networkFault);
  if (!response.ok) throw refusal(await response.json().catch(() => ({})), response.status);
  return Number(response.headers.get('upload-offset') ?? 0);
}

function sendPart(
  request: XMLHttpRequest,
  id: string,
  file: Blob,
  fields: Record<string, string>,
  from: number,
  onProgress: (sentBytes: number) => void,
): Promise<Step> {
  return new Promise((resolve, reject) => {
    let silence: number | undefined;
    const moved = () => {
      clearTimeout(silence);
      silence = window.setTimeout(() => request.abort(), silenceMs);
    };
    const settle = (act: () => void) => () => {
      clearTimeout(silence);
      act();
    };
    request.upload.onprogress = (event) => {
      moved();
      onProgress(event.loaded);
    };
    request.onload = settle(() => {
      const offset = request.getResponseHeader('upload-offset');
      if (request.status === 202) resolve({ accepted: request.response });
      // 409: it ends elsewhere than we thought.
      else if ((request.status === 204 || request.status === 409) && offset !== null)
        resolve({ offset: Number(offset) });
      else {
        const retryAfter = Number(request.getResponseHeader('retry-after') ?? 0);
        reject(refusal(request.response, request.status, retryAfter));
      }
    });
    const broken = settle(() => reject(new ApiError('NETWORK', '')));
    request.onerror = broken;
    request.onabort = broken;
    const query = new URLSearchParams({ bytes: String(file.size), ...fields });
    request.open('PATCH', `/api/v1/uploads/${id}?${query}`);
    request.responseType = 'json';
    request.setRequestHeader('accept-language', spoken());
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('upload-offset', String(from));
    moved();
    request.send(file.slice(from, from + partBytes));
  });
}
