import { ApiError, api, type Me, type Photo, type Prices, sendPhoto, speak } from './api';
import {
  dropPhoto,
  getState,
  putPhoto,
  type Sheet,
  setState,
  text,
  toast,
  type Upload,
} from './store';
import { type Language, rememberLanguage } from './texts';

const pageSize = 20;
/** Uploads at once: a phone's upstream is the bottleneck. */
const sendingAtOnce = 2;

/** First the customer (makes the cookie), then everything else. */
export async function start(): Promise<void> {
  const { language } = getState();
  speak(language);
  rememberLanguage(language);
  const me = await api<Me>('GET', '/me');
  const [prices, list] = await Promise.all([
    api<Prices>('GET', '/prices'),
    api<{ photos: Photo[] }>('GET', `/photos?limit=${pageSize}`),
  ]);
  setState({
    me,
    prices,
    preset: me.settings.preset,
    photos: list.photos.filter((photo) => photo.status !== 'deleted').reverse(),
    morePhotos: list.photos.length === pageSize,
  });
  if (me.language !== language) void attempt(() => api('PATCH', '/me', { language }));
}

/** Fetch the page of photos before the oldest one shown. */
export async function loadOlder(): Promise<void> {
  const before = getState().photos[0]?.id;
  const query = before ? `&before=${before}` : '';
  const { photos } = await api<{ photos: Photo[] }>('GET', `/photos?limit=${pageSize}${query}`);
  photos.forEach(putPhoto);
  setState({ morePhotos: photos.length === pageSize });
}

/** Run something the customer asked for; say in plain words when it does not work. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    toast(wordsOf(error), true);
    return undefined;
  }
}

/** What the customer reads about a failure. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.code === 'NETWORK') return text('error.network');
  if (error instanceof ApiError && error.message) return error.message;
  return text('error.unknown');
}

/** Show a sheet, in place of any other. */
export function openSheet(sheet: Sheet): void {
  setState({ sheet });
}

/** Back to the chat. */
export function closeSheet(): void {
  setState({ sheet: undefined });
}

/** Speak another language from now on, what is shown already included. */
export async function changeLanguage(language: Language): Promise<void> {
  speak(language);
  rememberLanguage(language);
  setState({ language });
  await attempt(() => api('PATCH', '/me', { language }));
  const { photos } = await api<{ photos: Photo[] }>('GET', `/photos?limit=${pageSize}`);
  photos.forEach(putPhoto);
}

/** Take files from a picker, a drop, the camera or the clipboard. */
export function sendFiles(files: Iterable<File>): void {
  const added: Upload[] = [...files].map((file) => ({
    key: crypto.randomUUID?.() ?? String(Math.random()),
    name: file.name,
    thumbnail: URL.createObjectURL(file),
    share: -1,
    file,
  }));
  setState(({ uploads }) => ({ uploads: [...uploads, ...added] }));
  pump();
}

/** Send a file again that did not get through. @param key of the upload. */
export function retryUpload(key: string): void {
  changeUpload(key, { error: undefined, share: -1 });
  pump();
}

/** Stop an upload and take it off the page. */
export function dismissUpload(key: string): void {
  getState()
    .uploads.find((one) => one.key === key)
    ?.abort?.();
  setState(({ uploads }) => ({ uploads: uploads.filter((one) => one.key !== key) }));
}

function changeUpload(key: string, change: Partial<Upload>): void {
  setState(({ uploads }) => ({
    uploads: uploads.map((one) => (one.key === key ? { ...one, ...change } : one)),
  }));
}

/** Start waiting uploads while fewer than the limit run. A share of -1 waits. */
function pump(): void {
  const { uploads } = getState();
  const running = uploads.filter((one) => !one.error && one.share >= 0).length;
  const waiting = uploads.filter((one) => !one.error && one.share < 0);
  for (const upload of waiting.slice(0, Math.max(0, sendingAtOnce - running))) void send(upload);
}

async function send(upload: Upload): Promise<void> {
  const { key, file, thumbnail } = upload;
  changeUpload(key, { share: 0 });
  const { preset } = getState();
  const sending = sendPhoto(file, preset ? { preset } : {}, (share) =>
    changeUpload(key, { share }),
  );
  changeUpload(key, { abort: sending.abort });
  try {
    const { id } = await sending.done;
    putPhoto(await api<Photo>('GET', `/photos/${id}`));
    setState(({ thumbnails, uploads }) => ({
      thumbnails: { ...thumbnails, [id]: thumbnail },
      uploads: uploads.filter((one) => one.key !== key),
    }));
  } catch (error) {
    changeUpload(key, { error: wordsOf(error), share: 0 });
  }
  pump();
}

/** Looks asked for by their colours, by photo: shown as soon as they are there. */
const wished = new Map<string, string>();

/** Choose the look that was wished for, once it is ready. */
export function grantWish(photo: Photo): void {
  const look = photo.looks.find((one) => one.id === wished.get(photo.id));
  if (look?.status !== 'ready') return;
  wished.delete(photo.id);
  void photoAction.choose(photo.id, look.id);
}

/** What buttons under a photo do; failures are said in a toast. */
export const photoAction = {
  another: (id: string) => change(() => api<Photo>('POST', `/photos/${id}/variants`, { count: 3 })),
  adjust: (id: string, finishing: { strength: number; warmth: number }) =>
    change(async () => {
      const photo = await api<Photo>('POST', `/photos/${id}/adjust`, finishing);
      const made = photo.looks.at(-1);
      if (made) wished.set(id, made.id);
      return photo;
    }),
  choose: (id: string, lookId: string) =>
    change(() => api<Photo>('POST', `/photos/${id}/looks/${lookId}/select`)),
  cancel: (id: string) => change(() => api<Photo>('POST', `/photos/${id}/cancel`)),
  delete: (id: string) =>
    attempt(async () => {
      await api('DELETE', `/photos/${id}`);
      dropPhoto(id);
      closeSheet();
    }),
};

function change(work: () => Promise<Photo>): Promise<void> {
  return attempt(async () => putPhoto(await work())).then(() => {});
}
