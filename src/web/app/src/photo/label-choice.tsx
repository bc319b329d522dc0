import { openSheet, photoAction } from '../actions';
import type { Photo } from '../api';
import { useTexts } from '../store';

/** Whether the HD file carries the visible label, where its customer may choose. */
export function LabelChoice({ photo }: { photo: Photo }) {
  const { t } = useTexts();
  if (!photo.masterUrl || !photo.label || !photo.originalUrl) return null;
  const isWith = photo.label === 'with';
  return (
    <p class="small">
      {t(isWith ? 'label.with' : 'label.without')}{' '}
      <button
        type="button"
        class="link"
        onClick={() =>
          isWith
            ? openSheet({ name: 'label', photoId: photo.id })
            : photoAction.label(photo.id, { visible: true })
        }
      >
        {t(isWith ? 'label.leaveOut' : 'label.putBack')}
      </button>
    </p>
  );
}
