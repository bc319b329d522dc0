import { useState } from 'preact/hooks';
import { attempt } from '../actions';
import { api, type Me, type Method, type Redeemed } from '../api';
import { topUp } from '../purchases';
import { setState, toast, useStore, useTexts } from '../store';
import { money } from '../texts';
import { MethodChoice } from './method-choice';
import { SheetFrame } from './sheet';

/** Balance, packs, credit codes. */
export function CreditsSheet() {
  const { t } = useTexts();
  const { me, prices } = useStore();
  const methods = (prices?.methods ?? []).filter((one) => one !== 'credits');
  const [method, setMethod] = useState<Method | undefined>(methods[0]);
  const [busy, setBusy] = useState(false);
  const cost = prices?.hdCredits ?? 1;
  const buy = async (pack: string) => {
    if (!method) return;
    setBusy(true);
    await topUp(pack, method);
    setBusy(false);
  };
  return (
    <SheetFrame title={t('credits.title')}>
      <p class="lead">
        {t('credits.have', { n: me?.credits ?? 0, cost })}
        <small>{t('credits.free', { n: me?.freePreviewsLeftToday ?? 0 })}</small>
      </p>
      {methods.length === 0 && <p class="note">{t('method.none')}</p>}
      <MethodChoice methods={methods} chosen={method} choose={setMethod} />
      <ul class="packs">
        {prices?.packs.map((pack) => (
          <li key={pack.id}>
            <button type="button" disabled={busy || !method} onClick={() => buy(pack.id)}>
              <b>{t('credits.pack', { n: pack.credits })}</b>
              <span>{money(pack.amountFen, 'CNY')}</span>
              <small>
                {t('credits.each', {
                  price: money(Math.round((pack.amountFen * cost) / pack.credits), 'CNY'),
                })}
              </small>
            </button>
          </li>
        ))}
      </ul>
      <Redeem />
    </SheetFrame>
  );
}

function Redeem() {
  const { t } = useTexts();
  const [code, setCode] = useState('');
  const redeem = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      const { credits } = await api<Redeemed>('POST', '/me/redeem', { code });
      toast(t('credits.redeemed', { n: credits }));
      setCode('');
      setState({ me: await api<Me>('GET', '/me') });
    });
  };
  return (
    <form class="row" onSubmit={redeem}>
      <label>
        {t('credits.redeem')}
        <input
          value={code}
          placeholder={t('credits.code')}
          autoComplete="off"
          minLength={4}
          maxLength={64}
          required
          onInput={(event) => setCode(event.currentTarget.value)}
        />
      </label>
      <button type="submit">{t('credits.use')}</button>
    </form>
  );
}
