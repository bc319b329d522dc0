import { useEffect, useState } from 'preact/hooks';
import type { OrderToPay } from './api';
import { Icon } from './icons';
import { SandboxMark } from './sheets/method-choice';
import { useTexts } from './store';
import { duration, money } from './texts';
import { methodTexts } from './texts/methods';

/** What a payment code needs, in the chat and on the pay page. */
export type Payable = OrderToPay['order'] &
  Pick<OrderToPay, 'photos' | 'expiresAt' | 'qrUrl' | 'appUrl'>;

const phone = matchMedia('(pointer: coarse)').matches;

/** Amount, purpose, code, time left, and the way to pay on this very phone. */
export function PaymentCode(props: { order: Payable; pay: () => void; busy: boolean }) {
  const { order, pay, busy } = props;
  const { t, language } = useTexts();
  const left = useSecondsLeft(order.expiresAt);
  const { name, scan, open } = methodTexts[language][order.method];
  return (
    <section class="payment">
      {order.sandbox && <SandboxMark />}
      <p class="amount">
        <span>{purpose(order, t)}</span>
        <b>{money(order.amountMinor, order.currency)}</b>
      </p>
      <div class="qr">
        {order.qrUrl && left > 0 ? (
          <img src={order.qrUrl} alt={t('pay.scan')} />
        ) : (
          <p>{left > 0 ? t('pay.preparing') : t('pay.expired')}</p>
        )}
      </div>
      <p class="small">
        {name} · {left > 0 ? t('pay.expires', { time: clock(left, t) }) : t('pay.expired')}
      </p>
      {scan && <p class="small">{scan}</p>}
      {order.appUrl && phone && (
        <a class="primary button wide" href={order.appUrl}>
          {open ?? t('pay.open')}
        </a>
      )}
      {order.sandbox && (
        <button type="button" class="primary wide" disabled={busy || !order.qrUrl} onClick={pay}>
          {t('pay.now')}
        </button>
      )}
      <p class="small" role="status">
        {t('pay.waiting')}
      </p>
    </section>
  );
}

/** How an order ended. `ready`: the files it bought are here. */
export function PaymentResult(props: {
  order: Pick<Payable, 'status' | 'kind' | 'credits'>;
  ready?: boolean;
}) {
  const { order, ready } = props;
  const { t } = useTexts();
  const good = order.status !== 'closed' && order.status !== 'closing';
  const { title, words } = endings(order, ready, t);
  return (
    <section class={good ? 'result good' : 'result'} role="status">
      <Icon name={good ? 'check' : 'alert'} />
      <h3>{title}</h3>
      <p>{words}</p>
    </section>
  );
}

function endings(
  { status, kind, credits }: Pick<Payable, 'status' | 'kind' | 'credits'>,
  ready: boolean | undefined,
  t: ReturnType<typeof useTexts>['t'],
): { title: string; words: string } {
  const bought = t('credits.pack', { n: credits });
  if (status === 'closing') return { title: t('pay.closing'), words: t('pay.closing.text') };
  if (status === 'closed') return { title: t('pay.closed'), words: t('pay.closed.text') };
  if (status === 'refunded') return { title: t('pay.refunded'), words: t('pay.refunded.text') };
  if (status === 'credited') return { title: t('pay.credited'), words: bought };
  const file = t(ready ? 'pay.ready.text' : 'pay.paid.text');
  return { title: t('pay.paid'), words: kind === 'topup' ? bought : file };
}

function purpose(order: Payable, t: ReturnType<typeof useTexts>['t']): string {
  return order.kind === 'topup'
    ? t('pay.for.topup', { n: order.credits })
    : t('pay.for.unlock', { n: Math.max(1, order.photos) });
}

function clock(seconds: number, t: ReturnType<typeof useTexts>['t']): string {
  return seconds < 600
    ? `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
    : duration(t, seconds);
}

function useSecondsLeft(expiresAt: string): number {
  const left = () => Math.max(0, (Date.parse(expiresAt) - Date.now()) / 1000);
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [expiresAt]);
  return seconds;
}
