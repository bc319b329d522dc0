import { photoAction } from '../actions';
import type { Photo } from '../api';
import { Icon } from '../icons';
import { useStore, useTexts } from '../store';
import { dateTime, duration } from '../texts';
import { inWidth } from './picture-sizes';
import { ReadyPhoto } from './ready-photo';
import { Thumbnail } from './thumbnail';

/** One photo: what was sent, and the studio's answer below it. */
export function PhotoMessage({ photo }: { photo: Photo }) {
  const { language, thumbnails } = useStore();
  const { t } = useTexts();
  const sentAt = dateTime(language, photo.createdAt);
  const thumbnail = thumbnails[photo.id];
  const preview = photo.looks.find((look) => look.previewUrl)?.previewUrl;
  return (
    <li class="exchange" aria-label={t('photo.alt', { date: sentAt })}>
      <div class="sent">
        {(thumbnail ?? preview) && (
          <figure class="print small-print">
            <Thumbnail
              sources={[{ url: thumbnail }, { url: preview && inWidth(preview, 320), grey: true }]}
              alt={t('photo.alt', { date: sentAt })}
              ratio={photo.widthPx && photo.heightPx ? photo.widthPx / photo.heightPx : undefined}
            />
          </figure>
        )}
        <time class="small" dateTime={photo.createdAt}>
          {sentAt}
        </time>
      </div>
      <article class="answer">
        {photo.status === 'ready' ? <ReadyPhoto photo={photo} /> : <Progress photo={photo} />}
      </article>
    </li>
  );
}

function Progress({ photo }: { photo: Photo }) {
  const { t } = useTexts();
  if (photo.status === 'failed') {
    return (
      <div class="note bad" role="alert">
        <p>
          <Icon name="alert" />
          {photo.error?.detail ?? t('error.unknown')}
        </p>
        <p class="small">{t('photo.failed.next')}</p>
        <DeleteButton photo={photo} />
      </div>
    );
  }
  if (photo.status === 'cancelled' || photo.status === 'deleted') {
    return (
      <div class="note">
        <p>{t(`photo.${photo.status}`)}</p>
        <DeleteButton photo={photo} />
      </div>
    );
  }
  const running = photo.status === 'restoring';
  return (
    <div class="note waiting">
      <div class={running ? 'developing running' : 'developing'} aria-hidden="true" />
      <p role="status">{waitingWords(photo, t)}</p>
      <progress max={1} value={running ? (photo.progress ?? 0) : undefined} />
      <button type="button" class="quiet" onClick={() => photoAction.cancel(photo.id)}>
        {t('cancel')}
      </button>
    </div>
  );
}

function waitingWords(photo: Photo, t: ReturnType<typeof useTexts>['t']): string {
  if (photo.waitingFor === 'card') {
    return t('photo.cooling', { time: duration(t, photo.etaSeconds ?? 0) });
  }
  if (photo.status === 'restoring') {
    return t('photo.restoring', { percent: Math.floor((photo.progress ?? 0) * 100) });
  }
  if (photo.status === 'received' || photo.position === undefined) return t('photo.received');
  if (photo.position === 0) return t('photo.next');
  return t('photo.queued', { n: photo.position, time: duration(t, photo.etaSeconds ?? 0) });
}

function DeleteButton({ photo }: { photo: Photo }) {
  const { t } = useTexts();
  return (
    <button type="button" class="quiet" onClick={() => photoAction.delete(photo.id)}>
      {t('action.delete')}
    </button>
  );
}
