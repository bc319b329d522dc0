import { useState } from 'preact/hooks';
import { openSheet, photoAction } from '../actions';
import type { Look, Photo } from '../api';
import { Icon } from '../icons';
import { getHd } from '../purchases';
import { useStore, useTexts } from '../store';
import { dateTime, type Language, money, type Translate } from '../texts';
import { CompareSlider } from './compare-slider';
import { LabelChoice } from './label-choice';
import { inWidth } from './picture-sizes';

/** A coloured photo: compare, choose a look, change it, get HD. */
export function ReadyPhoto({ photo }: { photo: Photo }) {
  const { t, language } = useTexts();
  const which = useWhich(photo, language, t);
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
          after={photo.screenUrl ?? shown.previewUrl}
          comparison={shown.comparisonUrl}
          alt={t(photo.screenUrl ? 'photo.hd' : 'photo.preview')}
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
        <HdButton photo={photo} which={which} busy={busy} run={run} />
        <button
          type="button"
          disabled={busy || waiting || !photo.originalUrl}
          aria-label={`${waiting ? t('look.waiting') : t('action.another')}, ${which}`}
          onClick={() => run(() => photoAction.another(photo.id))}
        >
          <Icon name="sparkle" />
          {waiting ? t('look.waiting') : t('action.another')}
        </button>
        <button
          type="button"
          aria-label={`${t('action.adjust')}, ${which}`}
          onClick={() => openSheet({ name: 'adjust', photoId: photo.id })}
        >
          <Icon name="sliders" />
          {t('action.adjust')}
        </button>
        <button
          type="button"
          class="round"
          aria-label={`${t('action.more')}, ${which}`}
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
      <LabelChoice photo={photo} />
    </>
  );
}

/** Tells one photo's buttons from another's for those who hear them: "photo 3, sent on ...". */
function useWhich(photo: Photo, language: Language, t: Translate): string {
  const n = useStore().photos.findIndex((one) => one.id === photo.id) + 1;
  return t('photo.which', { number: n, date: dateTime(language, photo.createdAt) });
}

function HdButton(props: {
  photo: Photo;
  which: string;
  busy: boolean;
  run: (work: () => Promise<unknown>) => Promise<void>;
}) {
  const { photo, which, busy, run } = props;
  const { t } = useTexts();
  const { me, prices } = useStore();
  if (photo.masterUrl) {
    return (
      <a
        class="primary button"
        href={photo.masterUrl}
        aria-label={`${t('action.download')}, ${which}`}
        download
      >
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
      aria-label={`${words}, ${which}`}
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
        <img src={inWidth(look.previewUrl, 320)} alt="" loading="lazy" />
      ) : (
        <span class={look.status === 'waiting' ? 'developing running' : 'developing'} />
      )}
      <span>{look.status === 'failed' ? t('look.failed') : n}</span>
    </button>
  );
}
