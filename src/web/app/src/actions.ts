import { ApiError, api, type Me, type Photo, type Prices, speak } from './api';
import { focusFoot } from './focus';
import { dropPhoto, getState, putPhoto, type Sheet, setState, text, toast } from './store';
import { type Language, rememberLanguage } from './texts';

const pageSize = 20;

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
  label: (id: string, wish: { visible: boolean; confirmed?: boolean }) =>
    change(() => api<Photo>('POST', `/photos/${id}/label`, wish)),
  cancel: (id: string) => change(() => api<Photo>('POST', `/photos/${id}/cancel`)),
  delete: (id: string) =>
    attempt(async () => {
      await api('DELETE', `/photos/${id}`);
      closeSheet();
      dropPhoto(id);
      focusFoot();
    }),
};

function change(work: () => Promise<Photo>): Promise<void> {
  return attempt(async () => putPhoto(await work())).then(() => {});
}
