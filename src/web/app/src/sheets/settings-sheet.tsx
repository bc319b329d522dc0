import { useState } from 'preact/hooks';
import { attempt, changeLanguage } from '../actions';
import { api, type LinkCode, type Me } from '../api';
import { goLive } from '../live';
import { setState, toast, useStore, useTexts } from '../store';
import { dateTime, type Language, languageNames } from '../texts';
import { forgetUploads } from '../uploads/queue';
import { SheetFrame } from './sheet';

const presets = ['auto', 'portrait', 'building'] as const;

/** Language, preset, linked chats, customer code, deleting everything. */
export function SettingsSheet() {
  const { t, language } = useTexts();
  const { me } = useStore();
  const switchTo = async (wanted: Language) => {
    await changeLanguage(wanted);
    goLive();
  };
  const choosePreset = (preset: string) =>
    attempt(async () => {
      const changed = await api<Me>('PATCH', '/me', { settings: { preset } });
      setState({ me: changed, preset });
    });
  return (
    <SheetFrame title={t('settings.title')}>
      <fieldset class="segments">
        <legend>{t('settings.language')}</legend>
        {(['zh-CN', 'en'] as const).map((one) => (
          <button
            type="button"
            key={one}
            lang={one}
            aria-pressed={language === one}
            onClick={() => switchTo(one)}
          >
            {languageNames[one]}
          </button>
        ))}
      </fieldset>
      <fieldset class="segments">
        <legend>{t('settings.preset')}</legend>
        {presets.map((one) => (
          <button
            type="button"
            key={one}
            aria-pressed={me?.settings.preset === one}
            onClick={() => choosePreset(one)}
          >
            {t(`preset.${one}`)}
          </button>
        ))}
      </fieldset>
      {me?.customerCode && (
        <p>
          {t('settings.code')} <b class="code">{me.customerCode}</b>
          <br />
          <small>{t('settings.code.hint')}</small>
        </p>
      )}
      <LinkChats />
      <EraseAll />
      <p class="small">
        <a href="/api/docs">{t('settings.api')}</a>
      </p>
    </SheetFrame>
  );
}

function LinkChats() {
  const { t, language } = useTexts();
  const [made, setMade] = useState<{ code: string; expiresAt: string }>();
  const [typed, setTyped] = useState('');
  const make = () => attempt(async () => setMade(await api<LinkCode>('POST', '/me/link-codes')));
  const use = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      setState({ me: await api<Me>('POST', '/me/links', { code: typed }) });
      setTyped('');
      toast(t('settings.link.done'));
      goLive();
    });
  };
  return (
    <section class="part">
      <h3>{t('settings.link')}</h3>
      <p class="small">{t('settings.link.text')}</p>
      {made ? (
        <p class="link-code" role="status">
          {t('settings.link.valid', { time: dateTime(language, made.expiresAt) })}
          <b class="code">/link {made.code}</b>
        </p>
      ) : (
        <button type="button" onClick={make}>
          {t('settings.link.make')}
        </button>
      )}
      <form class="row" onSubmit={use}>
        <label>
          {t('settings.link.code')}
          <input
            value={typed}
            autoComplete="off"
            minLength={4}
            maxLength={64}
            required
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit">{t('settings.link.use')}</button>
      </form>
    </section>
  );
}

function EraseAll() {
  const { t } = useTexts();
  const [asking, setAsking] = useState(false);
  const erase = () =>
    attempt(async () => {
      // Nothing may be sent for whoever comes after.
      await forgetUploads();
      await api('DELETE', '/me');
      // Everything shown belonged to someone who is gone: start anew.
      location.reload();
    });
  return (
    <section class="note bad">
      <h3>{t('settings.erase')}</h3>
      <p class="small">{t('settings.erase.text')}</p>
      {asking ? (
        <div class="actions">
          <button type="button" class="danger" onClick={erase}>
            {t('settings.erase.yes')}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            {t('cancel')}
          </button>
        </div>
      ) : (
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          {t('settings.erase')}
        </button>
      )}
    </section>
  );
}
