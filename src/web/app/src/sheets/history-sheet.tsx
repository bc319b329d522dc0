import { useEffect, useState } from 'preact/hooks';
import { attempt, closeSheet, loadOlder, openSheet } from '../actions';
import { api, type Order, type Photo } from '../api';
import { inWidth } from '../photo/picture-sizes';
import { Thumbnail } from '../photo/thumbnail';
import { getHd } from '../purchases';
import { putOrder, useStore, useTexts } from '../store';
import { dateTime, money } from '../texts';
import { methodTexts } from '../texts/methods';
import { SheetFrame } from './sheet';

/** Everything so far: photos as prints, orders as lines. */
export function HistorySheet() {
  const { t } = useTexts();
  const { photos, morePhotos } = useStore();
  const orders = useOrders();
  const seen = [...photos].reverse();
  return (
    <SheetFrame title={t('history.title')}>
      <h3>{t('history.photos')}</h3>
      {seen.length === 0 && <p class="small">{t('history.none')}</p>}
      <ul class="album">
        {seen.map((photo) => (
          <li key={photo.id}>
            <AlbumPrint photo={photo} />
          </li>
        ))}
      </ul>
      <HdForAll />
      {morePhotos && (
        <button type="button" class="quiet" onClick={() => attempt(loadOlder)}>
          {t('history.more')}
        </button>
      )}
      <h3>{t('history.orders')}</h3>
      {orders.length === 0 && <p class="small">{t('history.none')}</p>}
      <ul class="orders">
        {orders.map((order) => (
          <OrderLine key={order.id} order={order} />
        ))}
      </ul>
    </SheetFrame>
  );
}

/** The studio takes no more with one payment. */
const photosPerOrder = 50;

/** One payment for everything that is ready, the newest first. */
function HdForAll() {
  const { t } = useTexts();
  const { photos, prices } = useStore();
  const [busy, setBusy] = useState(false);
  const all = photos.filter((one) => one.status === 'ready' && !one.unlocked && one.originalUrl);
  const ready = all.slice(-photosPerOrder);
  if (ready.length < 2 || !prices) return null;
  const price = money(prices.hdAmountFen * ready.length, 'CNY');
  const buy = async () => {
    setBusy(true);
    await getHd(ready.map((photo) => photo.id));
    setBusy(false);
  };
  return (
    <button type="button" class="primary" disabled={busy} onClick={buy}>
      {t('history.hdAll', { n: ready.length, price })}
    </button>
  );
}

/** Newest first; live events keep them fresh. */
function useOrders(): Order[] {
  const { orders } = useStore();
  const [, setLoaded] = useState(false);
  useEffect(() => {
    void attempt(async () => {
      const list = await api<{ orders: Order[] }>('GET', '/orders');
      list.orders.forEach(putOrder);
      setLoaded(true);
    });
  }, []);
  return Object.values(orders).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

function AlbumPrint({ photo }: { photo: Photo }) {
  const { t, language } = useTexts();
  const { thumbnails } = useStore();
  const date = dateTime(language, photo.createdAt);
  const chosen = photo.looks.find((look) => look.id === photo.selectedLookId) ?? photo.looks[0];
  const preview = chosen?.previewUrl && inWidth(chosen.previewUrl, 320);
  const sources = [{ url: preview }, { url: thumbnails[photo.id] }];
  const show = () => {
    closeSheet();
    openSheet({ name: 'details', photoId: photo.id });
  };
  return (
    <button type="button" class="album-print" onClick={show}>
      <Thumbnail sources={sources} alt={t('photo.alt', { date })} />
    </button>
  );
}

function OrderLine({ order }: { order: Order }) {
  const { t, language } = useTexts();
  const open = order.status === 'pending' || order.status === 'created';
  return (
    <li>
      <span>
        <b>
          {order.kind === 'topup'
            ? t('pay.for.topup', { n: order.credits })
            : t('pay.for.unlock', { n: order.photoIds.length })}
        </b>
        <small>
          {dateTime(language, order.createdAt)} · {methodTexts[language][order.method].name} ·{' '}
          {t(`order.state.${order.status}`)}
        </small>
      </span>
      <span>{money(order.amountMinor, order.currency)}</span>
      {open && (
        <button type="button" onClick={() => openSheet({ name: 'order', orderId: order.id })}>
          {t('order.pay')}
        </button>
      )}
      {order.paidAt && (
        <button type="button" onClick={() => openSheet({ name: 'receipt', orderId: order.id })}>
          {t('order.receipt')}
        </button>
      )}
    </li>
  );
}
