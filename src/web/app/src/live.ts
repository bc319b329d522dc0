import { grantWish } from './actions';
import type { Me, Order, Photo } from './api';
import { dropPhoto, getState, putOrder, putPhoto, setState, text, toast } from './store';
import { wakeUploads } from './uploads/queue';

let source: EventSource | undefined;
let again: number | undefined;

/**
 * Listen for news, in the language of now. The server tells the whole current state on every
 * connection, so a train tunnel loses nothing; the browser reconnects by itself, and we start over
 * when it gives up.
 */
export function goLive(): void {
  source?.close();
  clearTimeout(again);
  const stream = new EventSource(`/api/v1/me/events?lang=${getState().language}`);
  source = stream;
  const on = <T>(name: string, take: (value: T) => void) =>
    stream.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent).data)));
  on<Photo>('photo', (photo) => {
    // Of a deleted photo nothing but its id comes.
    if (photo.status === 'deleted') {
      dropPhoto(photo.id);
      return;
    }
    putPhoto(photo);
    grantWish(photo);
  });
  on<Order>('order', putOrder);
  on<Me>('me', (me) => setState({ me }));
  stream.onopen = () => {
    if (!getState().online) toast(text('live.online'));
    setState({ online: true });
    wakeUploads();
  };
  stream.onerror = () => {
    setState({ online: false });
    if (stream.readyState === EventSource.CLOSED) again = window.setTimeout(goLive, 3000);
  };
}
