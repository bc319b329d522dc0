import { Icon } from '../icons';
import { Thumbnail } from '../photo/thumbnail';
import { type Upload, useStore, useTexts } from '../store';
import { canRetry, dismissUpload, isUnsent, retryAllUploads, retryUpload } from './queue';

/** A file on its way, waiting, held up or refused. */
export function UploadMessage({ upload }: { upload: Upload }) {
  const { t } = useTexts();
  const { name, share, state } = upload;
  const words = uploadWords(upload, t);
  return (
    <li class="sent">
      <figure class="print small-print">
        <Thumbnail sources={[{ url: upload.thumbnail }]} alt={t('upload.thumbnail', { name })} />
        {state === 'sending' && <progress max={1} value={share} aria-label={words} />}
      </figure>
      {state === 'refused' || state === 'held' ? (
        <Stopped upload={upload} words={words} />
      ) : (
        <p class="small">
          {words} {state !== 'accepted' && <Dismiss upload={upload} label={t('cancel')} />}
        </p>
      )}
    </li>
  );
}

function Stopped({ upload, words }: { upload: Upload; words: string }) {
  const { t } = useTexts();
  const { name, key, state, error } = upload;
  const held = state === 'held';
  const retry = t(held ? 'upload.now' : 'upload.retry');
  return (
    <div class={held ? 'upload-error held' : 'upload-error'} role={held ? 'status' : 'alert'}>
      <p>
        <Icon name="alert" />
        <b>{words}</b>
      </p>
      <p>{error}</p>
      {canRetry(upload) && (
        <button
          type="button"
          class="quiet"
          aria-label={`${retry}: ${name}`}
          onClick={() => retryUpload(key)}
        >
          {retry}
        </button>
      )}
      <Dismiss upload={upload} label={t(held ? 'cancel' : 'upload.dismiss')} />
    </div>
  );
}

function Dismiss({ upload: { key, name }, label }: { upload: Upload; label: string }) {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`${label}: ${name}`}
      onClick={() => dismissUpload(key)}
    >
      {label}
    </button>
  );
}

function uploadWords({ name, share, state }: Upload, t: ReturnType<typeof useTexts>['t']): string {
  if (state === 'waiting') return t('upload.waiting', { name });
  if (state === 'held') return t('upload.held', { name });
  if (state === 'refused') return t('upload.failed', { name });
  if (state === 'accepted') return t('upload.accepted', { name });
  return share >= 1
    ? t('upload.checking', { name })
    : t('upload.sending', { name, percent: Math.floor(share * 100) });
}

/** Above the buttons: how many are still to be sent, and all of them at once. */
export function UploadsLine() {
  const { uploads } = useStore();
  const { t } = useTexts();
  const unsent = uploads.filter(isUnsent).length;
  const stopped = uploads.filter(canRetry).length;
  if (unsent < 2 && stopped < 2) return null;
  return (
    <div class="uploads-line">
      <span role="status">{unsent > 0 && t('upload.left', { n: unsent })}</span>
      {stopped > 1 && (
        <button type="button" class="quiet" onClick={retryAllUploads}>
          {t('upload.retryAll', { n: stopped })}
        </button>
      )}
    </div>
  );
}
