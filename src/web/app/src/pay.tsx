import { type ComponentChildren, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { wordsOf } from './actions';
import { ApiError, api, type OrderToPay, refusal, speak } from './api';
import { type Payable, PaymentCode, PaymentResult } from './payment';
import { SandboxMark } from './sheets/method-choice';
import { getState, setState, toast, useStore, useTexts } from './store';
import { languageNames, money, rememberLanguage } from './texts';

const [, kind, token] = location.pathname.split('/');
/** Quick while the customer is likely paying, slower later. */
const pollMs = { quick: 2_000, slow: 6_000, quickFor: 120_000 };

function PayPage() {
  const { t } = useTexts();
  const { toast: line } = useStore();
  return (
    <div class="pay-page">
      <header class="top">
        <h1 class="brand">
          <img src="/icon.svg" alt="" width="34" height="34" />
          <span>
            {t('brand')}
            <small>{t('brand.line')}</small>
          </span>
        </h1>
        <LanguageSwitch />
      </header>
      <main class="pay-card">{pages[kind ?? '']?.() ?? <Missing />}</main>
      <div class="toasts" role="alert">
        {line && <p class="toast bad">{line.text}</p>}
      </div>
    </div>
  );
}

const pages: Readonly<Record<string, () => ComponentChildren>> = {
  sandbox: () => <Till />,
  pay: () => <Pay />,
};

/** Every address that is not one of ours. */
function Missing() {
  const { t } = useTexts();
  return (
    <>
      <p>{t('page.missing')}</p>
      <a class="primary button" href="/">
        {t('page.home')}
      </a>
    </>
  );
}

function LanguageSwitch() {
  const { language } = useStore();
  const other = language === 'en' ? 'zh-CN' : 'en';
  const change = () => {
    speak(other);
    rememberLanguage(other);
    setState({ language: other });
  };
  return (
    <button type="button" class="chip" lang={other} onClick={change}>
      {languageNames[other]}
    </button>
  );
}

function Pay() {
  const { t } = useTexts();
  const { order, missing, refresh } = useOrder();
  const [busy, setBusy] = useState(false);
  if (missing) return <p>{t('pay.notFound')}</p>;
  if (!order) return <p role="status">{t('pay.preparing')}</p>;
  if (order.status !== 'created' && order.status !== 'pending') {
    return <PaymentResult order={order} />;
  }
  const pay = async () => {
    setBusy(true);
    await payHere();
    await refresh();
    setBusy(false);
  };
  const check = async () => {
    await api('POST', `/pay/${token}/refresh`).catch((error) => toast(wordsOf(error), true));
    await refresh();
  };
  return (
    <>
      <PaymentCode order={order} pay={pay} busy={busy} />
      <button type="button" class="quiet" onClick={check}>
        {t('pay.check')}
      </button>
    </>
  );
}

/** What the sandbox's QR code opens on the phone: a payment app that takes no money. */
function Till() {
  const { t } = useTexts();
  const [trade, setTrade] = useState<{ amountFen: number; state: string }>();
  const [missing, setMissing] = useState(false);
  const load = () =>
    api<{ amountFen: number; state: string }>('GET', `/sandbox/${token}`).then(setTrade, () =>
      setMissing(true),
    );
  useEffect(() => void load(), []);
  if (missing) return <p>{t('pay.notFound')}</p>;
  if (!trade) return null;
  const status = trade.state === 'paid' ? 'paid' : trade.state === 'open' ? 'pending' : 'closed';
  if (status !== 'pending') {
    return <PaymentResult order={{ status, kind: 'unlock', credits: 0 }} />;
  }
  return (
    <section class="payment">
      <SandboxMark />
      <p class="amount">
        <span>{t('pay.amount')}</span>
        <b>{money(trade.amountFen, 'CNY')}</b>
      </p>
      <button type="button" class="primary wide" onClick={() => payHere().then(load)}>
        {t('pay.now')}
      </button>
    </section>
  );
}

async function payHere(): Promise<void> {
  try {
    const response = await fetch(location.pathname, {
      method: 'POST',
      headers: { accept: 'application/json', 'accept-language': getState().language },
    });
    if (response.ok) return;
    throw refusal(await response.json(), response.status);
  } catch (error) {
    toast(wordsOf(error instanceof ApiError ? error : new ApiError('NETWORK', '')), true);
  }
}

/** The order behind the token, looked at again and again until it is settled. */
function useOrder() {
  const { language } = useStore();
  const [order, setOrder] = useState<Payable>();
  const [missing, setMissing] = useState(false);
  const refresh = async () => {
    try {
      const answer = await api<OrderToPay>('GET', `/pay/${token}`);
      setOrder({ ...answer, ...answer.order });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setMissing(true);
    }
  };
  const open = !order || ['created', 'pending', 'closing'].includes(order.status);
  useEffect(() => {
    if (missing || !open) return;
    const startedAt = Date.now();
    let timer = 0;
    const tick = async () => {
      await refresh();
      const quick = Date.now() - startedAt < pollMs.quickFor;
      timer = window.setTimeout(tick, quick ? pollMs.quick : pollMs.slow);
    };
    void tick();
    return () => clearTimeout(timer);
  }, [missing, open, language]);
  return { order, missing, refresh };
}

speak(getState().language);
rememberLanguage(getState().language);
render(<PayPage />, document.getElementById('app')!);
