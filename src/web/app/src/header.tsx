import { openSheet } from './actions';
import { Icon } from './icons';
import { useStore, useTexts } from './store';

/** Brand, credits, and the way to history and settings. */
export function Header() {
  const { me } = useStore();
  const { t } = useTexts();
  return (
    <header class="top">
      <h1 class="brand">
        <img src="/icon.svg" alt="" width="34" height="34" />
        <span>
          {t('brand')}
          <small>{t('brand.line')}</small>
        </span>
      </h1>
      <nav>
        {me && (
          <button type="button" class="chip" onClick={() => openSheet({ name: 'credits' })}>
            <Icon name="coin" />
            {t('nav.credits', { n: me.credits })}
          </button>
        )}
        <IconButton name="history" label={t('nav.history')} sheet="history" />
        <IconButton name="gear" label={t('nav.settings')} sheet="settings" />
      </nav>
    </header>
  );
}

function IconButton(props: {
  name: 'history' | 'gear';
  label: string;
  sheet: 'history' | 'settings';
}) {
  return (
    <button
      type="button"
      class="round"
      aria-label={props.label}
      title={props.label}
      onClick={() => openSheet({ name: props.sheet })}
    >
      <Icon name={props.name} />
    </button>
  );
}
