import { useEffect, useState } from 'preact/hooks';
import { attempt, photoAction } from '../actions';
import { api, type Look, type TimelineEntry } from '../api';
import { CompareSlider } from '../photo/compare-slider';
import { useStore, useTexts } from '../store';
import { dateTime } from '../texts';
import { SheetFrame } from './sheet';

/** Where a photo is and why: size, model, timeline, files, deletion. */
export function DetailsSheet({ photoId }: { photoId: string }) {
  const { t, language } = useTexts();
  const { photos } = useStore();
  const photo = photos.find((one) => one.id === photoId);
  const timeline = useTimeline(photoId, photo?.status, photo?.looks.length, language);
  const [asking, setAsking] = useState(false);
  if (!photo) return null;
  const look = photo.looks.find((one) => one.id === photo.selectedLookId) ?? photo.looks[0];
  return (
    <SheetFrame title={t('details.title')}>
      {look?.previewUrl && (
        <CompareSlider
          after={look.previewUrl}
          comparison={look.comparisonUrl}
          alt={t('photo.preview')}
          ratio={(photo.widthPx ?? 4) / (photo.heightPx ?? 3)}
        />
      )}
      <dl>
        {photo.widthPx && (
          <>
            <dt>{t('details.size')}</dt>
            <dd>
              {photo.widthPx} × {photo.heightPx}
            </dd>
          </>
        )}
        {look && (
          <>
            <dt>{t('details.model')}</dt>
            <dd>{modelWords(look)}</dd>
          </>
        )}
      </dl>
      <h3>{t('details.timeline')}</h3>
      <ol class="timeline">
        {timeline.map((entry) => (
          <li key={`${entry.at}${entry.event}`}>
            <time dateTime={entry.at} title={dateTime(language, entry.at)}>
              {new Date(entry.at).toLocaleTimeString(language)}
            </time>
            <span>{entry.text}</span>
          </li>
        ))}
      </ol>
      <div class="actions">
        {photo.masterUrl && (
          <a class="primary button" href={photo.masterUrl} download>
            {t('action.download')}
          </a>
        )}
        {photo.originalUrl && (
          <a class="button" href={photo.originalUrl} download>
            {t('action.original')}
          </a>
        )}
        {!asking && (
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            {t('action.delete')}
          </button>
        )}
      </div>
      {asking && (
        <div class="note bad" role="alert">
          <p>{t('delete.ask')}</p>
          <div class="actions">
            <button type="button" class="danger" onClick={() => photoAction.delete(photoId)}>
              {t('delete.yes')}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {t('cancel')}
            </button>
          </div>
        </div>
      )}
    </SheetFrame>
  );
}

/** A look made from colours that were there had no provider: none is named. */
function modelWords({ model, sizePx, provider }: Look): string {
  return [model, sizePx, provider === 'none' ? '' : provider].filter(Boolean).join(' · ');
}

function useTimeline(photoId: string, ...changes: readonly unknown[]): readonly TimelineEntry[] {
  const [entries, setEntries] = useState<readonly TimelineEntry[]>([]);
  useEffect(() => {
    void attempt(async () => {
      const path = `/photos/${photoId}/timeline`;
      setEntries((await api<{ timeline: TimelineEntry[] }>('GET', path)).timeline);
    });
  }, [photoId, ...changes]);
  return entries;
}
