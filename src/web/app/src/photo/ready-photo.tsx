import { useState } from 'preact/hooks';
import { openSheet, photoAction } from '../actions';
import type { Look, Photo } from '../api';
import { Icon } from '../icons';
import { getHd } from '../purchases';
import { useStore, useTexts } from '../store';
import { money } from '../texts';
import { CompareSlider } from './compare-slider';

/** A coloured photo: compare, choose a look, change it, get HD. */
export function ReadyPhoto({ photo }: { photo: Photo }) {
  const { t } = useTexts();
  const chosen = photo.looks.find((look) => look.id === photo.selectedLookId) ?? photo.looks[0];
  const shown = chosen?.previewUrl ? chosen : photo.looks.find((look) => look.previewUrl);
  const [busy, setBusy] = useState(false);
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  const waiting = photo.looks.some((look) => look.status === 'waiting');
  return (
    <>
      {shown?.previewUrl && (
        <CompareSlider
          after={shown.previewUrl}
          comparison={shown.comparisonUrl}
          alt={t('photo.preview')}
          ratio={(photo.widthPx ?? 4) / (photo.heightPx ?? 3)}
        />
      )}
      {!shown?.previewUrl && !waiting && <p class="note">{t('photo.expired')}</p>}
      {photo.looks.length > 1 && <Looks photo={photo} />}
      {chosen?.notes.map((note) => (
        <p class="small" key={note}>
          {note}
        </p>
      ))}
      <div class="actions">
        <HdButton photo={photo} busy={busy} run={run} />
        <button
          type="button"
          disabled={busy || waiting || !photo.originalUrl}
          onClick={() => run(() => photoAction.another(photo.id))}
        >
          <Icon name="sparkle" />
          {waiting ? t('look.waiting') : t('action.another')}
        </button>
        <button type="button" onClick={() => openSheet({ name: 'adjust', photoId: photo.id })}>
          <Icon name="sliders" />
          {t('action.adjust')}
        </button>
        <button
          type="button"
          class="round"
          aria-label={t('action.more')}
          title={t('action.more')}
          onClick={() => openSheet({ name: 'details', photoId: photo.id })}
        >
          <Icon name="more" />
        </button>
      </div>
      <p class="small" role="status">
        {photo.masterUrl
          ? t('photo.unlocked')
          : photo.unlocked
            ? t('photo.making')
            : t('photo.free')}
      </p>
    </>
  );
}

function HdButton(props: {
  photo: Photo;
  busy: boolean;
  run: (work: () => Promise<unknown>) => Promise<void>;
}) {
  const { photo, busy, run } = props;
  const { t } = useTexts();
  const { me, prices } = useStore();
  if (photo.masterUrl) {
    return (
      <a class="primary button" href={photo.masterUrl} download>
        <Icon name="download" />
        {t('action.download')}
      </a>
    );
  }
  const cost = prices?.hdCredits ?? 1;
  const enough = (me?.credits ?? 0) >= cost;
  const price = prices ? money(prices.hdAmountFen, 'CNY') : '';
  const words = enough
    ? t(cost === 1 ? 'action.hd.credit' : 'action.hd.credits', { n: cost })
    : t('action.hd.price', { price });
  return (
    <button
      type="button"
      class="primary"
      disabled={busy || photo.unlocked || !photo.originalUrl}
      onClick={() => run(() => getHd([photo.id]))}
    >
      <Icon name="download" />
      {words}
    </button>
  );
}

function Looks({ photo }: { photo: Photo }) {
  const { t } = useTexts();
  return (
    <fieldset class="looks">
      <legend class="visually-hidden">{t('look.title')}</legend>
      {photo.looks.map((look) => (
        <LookButton
          key={look.id}
          look={look}
          chosen={look.id === photo.selectedLookId}
          choose={() => photoAction.choose(photo.id, look.id)}
        />
      ))}
    </fieldset>
  );
}

function LookButton(props: { look: Look; chosen: boolean; choose: () => void }) {
  const { look, chosen, choose } = props;
  const { t } = useTexts();
  const n = look.index + 1;
  return (
    <button
      type="button"
      class="look"
      aria-pressed={chosen}
      aria-label={t('look.choose', { n })}
      disabled={look.status !== 'ready'}
      onClick={choose}
    >
      {look.previewUrl ? (
        <img src={look.previewUrl} alt="" loading="lazy" />
      ) : (
        <span class={look.status === 'waiting' ? 'developing running' : 'developing'} />
      )}
      <span>{look.status === 'failed' ? t('look.failed') : n}</span>
    </button>
  );
}
