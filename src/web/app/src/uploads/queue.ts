import { wordsOf } from '../actions';
import { ApiError, api, type Photo, type PhotoAccepted } from '../api';
import { focusFoot } from '../focus';
import { dropUpload, getState, putPhoto, setState, type Upload } from '../store';
import { giveUp, sendFile } from './send-file';
import { holdLease, isElsewhere, randomHex, thisTab } from './tab-lease';
import { type StoredUpload, uploadStore } from './upload-store';

/** Uploads at once: a phone's upstream is the bottleneck. */
const sendingAtOnce = 2;
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;
/** How often files of tabs that are gone are looked for. */
const adoptEveryMs = 15_000;

/** Failures in a row, over all files: it is the connection or the server that is away. */
let failures = 0;
let timer: number | undefined;
/** Bytes of these may lie on the server. */
const begun = new Set<string>();

/** Take files from a picker, a drop, the camera or the clipboard. */
export function sendFiles(files: Iterable<File>): void {
  const { preset } = getState();
  const added = [...files].map((file, index) => newUpload(file, preset, index));
  setState(({ uploads }) => ({ uploads: [...uploads, ...added] }));
  for (const upload of added) void uploadStore.put(stored(upload));
  pump();
}

/** Go on with what an earlier page could not send; from now on also when the connection is back. */
export function resumeUploads(): void {
  holdLease();
  addEventListener('online', wakeUploads);
  addEventListener('beforeunload', (event) => {
    if (getState().uploads.some(isUnsent)) event.preventDefault();
  });
  void adopt();
  setInterval(adopt, adoptEveryMs);
}

/** The connection is back: what waits for it goes on now. */
export function wakeUploads(): void {
  clearTimeout(timer);
  const { uploads } = getState();
  for (const { key, state } of uploads) if (state === 'held') changeUpload(key, waiting);
  for (const upload of uploads) if (upload.state === 'accepted') void showPhoto(upload);
  pump();
}

/** Send a file now. @param key of the upload. */
export function retryUpload(key: string): void {
  const upload = find(key);
  if (!upload) return;
  changeUpload(key, waiting);
  void uploadStore.put(stored({ ...upload, ...waiting }));
  pump();
}

/** Send all now that are held up, or were refused for a reason that may have passed. */
export function retryAllUploads(): void {
  failures = 0;
  for (const upload of getState().uploads) if (canRetry(upload)) retryUpload(upload.key);
}

/** Stop an upload and forget it. */
export function dismissUpload(key: string): void {
  const upload = find(key);
  dropUpload(key);
  focusFoot();
  upload?.abort?.();
  void uploadStore.remove(key);
  if (begun.delete(key)) giveUp(key);
  pump();
}

/** Everything of this customer goes. */
export async function forgetUploads(): Promise<void> {
  for (const { key } of getState().uploads) dismissUpload(key);
  await uploadStore.clear();
}

/** Not on the server yet, and not refused for good. */
export function isUnsent({ state }: Upload): boolean {
  return state === 'waiting' || state === 'sending' || state === 'held';
}

/** Whether sending again can help. */
export function canRetry({ state, again }: Upload): boolean {
  return state === 'held' || (state === 'refused' && again === true);
}

const waiting = { state: 'waiting', share: 0, error: undefined, again: undefined } as const;

function newUpload(file: File, preset: string, index: number): Upload {
  // Sorts by age, also among those of one moment.
  const age = Date.now().toString(16).padStart(12, '0') + index.toString(16).padStart(4, '0');
  const thumbnail = URL.createObjectURL(file);
  const key = age + randomHex(8);
  return { key, name: file.name, thumbnail, file, preset, state: 'waiting', share: 0 };
}

function stored({ key, name, file, preset, state, error, again }: Upload): StoredUpload {
  const refusal = state === 'refused' ? { words: error ?? '', again: again === true } : undefined;
  return { key, name, file, preset, owner: thisTab, refusal };
}

/** Take over what no living tab sends. */
async function adopt(): Promise<void> {
  for (const one of await uploadStore.all()) {
    const { key, name, file, preset, refusal, owner } = one;
    if (find(key) || isElsewhere(owner)) continue;
    if (owner !== thisTab) await uploadStore.put({ ...one, owner: thisTab });
    begun.add(key);
    const thumbnail = URL.createObjectURL(file);
    const said = refusal
      ? ({ state: 'refused', error: refusal.words, again: refusal.again } as const)
      : ({ state: 'waiting' } as const);
    const upload: Upload = { key, name, file, preset, thumbnail, share: 0, ...said };
    setState(({ uploads }) => ({
      uploads: [...uploads, upload].sort((a, b) => a.key.localeCompare(b.key)),
    }));
  }
  pump();
}

const find = (key: string) => getState().uploads.find((one) => one.key === key);

function changeUpload(key: string, change: Partial<Upload>): void {
  setState(({ uploads }) => ({
    uploads: uploads.map((one) => (one.key === key ? { ...one, ...change } : one)),
  }));
}

/** Start waiting uploads while fewer than the limit run. */
function pump(): void {
  // First the customer: without a cookie each of them would make its own.
  if (!getState().me) return;
  const { uploads } = getState();
  const running = uploads.filter(({ state }) => state === 'sending').length;
  const next = uploads.filter(({ state }) => state === 'waiting');
  for (const upload of next.slice(0, Math.max(0, sendingAtOnce - running))) void send(upload);
}

async function send({ key, file, preset }: Upload): Promise<void> {
  const progress = (share: number) => changeUpload(key, { share });
  const sending = sendFile(key, file, preset ? { preset } : {}, begun.has(key), progress);
  begun.add(key);
  changeUpload(key, { state: 'sending', share: 0, abort: sending.abort });
  try {
    await arrived(key, await sending.done);
  } catch (error) {
    failed(key, error);
  }
  pump();
}

/** The server has it: whatever fails from now on, it was sent. */
async function arrived(key: string, { id }: PhotoAccepted): Promise<void> {
  failures = 0;
  begun.delete(key);
  const upload = find(key);
  await uploadStore.remove(key);
  if (!upload) return;
  changeUpload(key, { state: 'accepted', share: 1, photoId: id, abort: undefined });
  setState(({ thumbnails }) => ({ thumbnails: { ...thumbnails, [id]: upload.thumbnail } }));
  void showPhoto({ ...upload, photoId: id });
}

/** Put the photo in the place of its upload; when that fails, live news or the next waking do it. */
async function showPhoto({ key, photoId }: Upload): Promise<void> {
  try {
    putPhoto(await api<Photo>('GET', `/photos/${photoId}`));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) dropUpload(key);
  }
}

function failed(key: string, error: unknown): void {
  const upload = find(key);
  if (!upload) return;
  const words = wordsOf(error);
  const refusal = error instanceof ApiError ? error : new ApiError('UNKNOWN', '');
  if (passes(refusal)) {
    changeUpload(key, { state: 'held', error: words, abort: undefined });
    failures += 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(10, failures - 1));
    clearTimeout(timer);
    timer = window.setTimeout(wakeUploads, Math.max(pauseMs, refusal.retryAfterSeconds * 1000));
    return;
  }
  const refused = { state: 'refused', error: words, again: mayHelp(refusal) } as const;
  changeUpload(key, { ...refused, abort: undefined });
  void uploadStore.put(stored({ ...upload, ...refused }));
}

/** Worth trying again without being asked: the connection, or a server that is busy or away. */
function passes({ code, status }: ApiError): boolean {
  if (code === 'NETWORK' || code === 'TOO_MANY_REQUESTS') return true;
  return status >= 500 || status === 408 || status === 409 || status === 425;
}

/** Of the same bytes the server says the same: too large, not a picture, not readable. */
function mayHelp({ status }: ApiError): boolean {
  return ![400, 413, 415, 422].includes(status);
}
