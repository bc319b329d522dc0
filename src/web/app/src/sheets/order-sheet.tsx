import { useEffect, useState } from 'preact/hooks';
import { attempt, closeSheet } from '../actions';
import { api, type Method, type Order } from '../api';
import { type Payable, PaymentCode, PaymentResult } from '../payment';
import { giveUpOrder, paySandbox, refreshOrder, unlock } from '../purchases';
import { putOrder, toast, useStore, useTexts } from '../store';
import { MethodChoice } from './method-choice';
import { SheetFrame } from './sheet';

/** How to pay for the HD files of some photos. */
export function MethodSheet({ photoIds }: { photoIds: readonly string[] }) {
  const { t } = useTexts();
  const { prices } = useStore();
  const methods = (prices?.methods ?? []).filter((method) => method !== 'credits');
  const [method, setMethod] = useState<Method | undefined>(methods[0]);
  const [busy, setBusy] = useState(false);
  return (
    <SheetFrame title={t('pay.title')}>
      <MethodChoice methods={methods} chosen={method} choose={setMethod} />
      <div class="actions">
        <button
          type="button"
          class="primary"
          disabled={busy || !method}
          onClick={async () => {
            setBusy(true);
            await unlock(photoIds, method);
            setBusy(false);
          }}
        >
          {t('pay.continue')}
        </button>
      </div>
    </SheetFrame>
  );
}

/** The code of an order, until it is paid; live events change it by themselves. */
export function OrderSheet({ orderId }: { orderId: string }) {
  const { t } = useTexts();
  const { orders, photos } = useStore();
  const order = orders[orderId];
  useEffect(() => {
    if (!order) void attempt(async () => putOrder(await api<Order>('GET', `/orders/${orderId}`)));
  }, [order, orderId]);
  if (!order) return null;
  const open = order.status === 'created' || order.status === 'pending';
  const bought = photos.filter((photo) => order.photoIds.includes(photo.id));
  const ready = bought.length > 0 && bought.every((photo) => photo.masterUrl);
  const file = ready && bought.length === 1 ? bought[0]?.masterUrl : undefined;
  return (
    <SheetFrame title={t(order.kind === 'topup' ? 'pay.topup' : 'pay.title')}>
      {open ? <OpenOrder order={order} /> : <PaymentResult order={order} ready={ready} />}
      {!open && (
        <div class="actions">
          {file && (
            <a class="primary button" href={file} download>
              {t('action.download')}
            </a>
          )}
          <button type="button" class={file ? undefined : 'primary'} onClick={closeSheet}>
            {t('close')}
          </button>
        </div>
      )}
    </SheetFrame>
  );
}

function OpenOrder({ order }: { order: Order }) {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const run = (work: () => Promise<unknown>) => async () => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  const payable: Payable = {
    ...order,
    photos: order.photoIds.length,
    qrUrl: order.qr && `/api/v1/orders/${order.id}/qr.svg`,
  };
  const copy = () =>
    attempt(async () => {
      await navigator.clipboard.writeText(order.payUrl);
      toast(t('pay.copied'));
    });
  return (
    <>
      <PaymentCode order={payable} pay={run(() => paySandbox(order))} busy={busy} />
      <div class="actions quiet-actions">
        <button type="button" class="quiet" onClick={run(() => refreshOrder(order.id))}>
          {t('pay.check')}
        </button>
        <a
          class="quiet button"
          href={new URL(order.payUrl).pathname}
          target="_blank"
          rel="noopener"
        >
          {t('pay.page')}
        </a>
        {navigator.clipboard && (
          <button type="button" class="quiet" onClick={copy}>
            {t('pay.copy')}
          </button>
        )}
        <button type="button" class="quiet" onClick={run(() => giveUpOrder(order.id))}>
          {t('pay.giveUp')}
        </button>
      </div>
    </>
  );
}
