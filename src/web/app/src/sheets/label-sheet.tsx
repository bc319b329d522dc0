import { useState } from 'preact/hooks';
import { closeSheet, photoAction } from '../actions';
import { useTexts } from '../store';
import { SheetFrame } from './sheet';

/** The words that a customer confirms before a file without the visible label. */
export function LabelSheet({ photoId }: { photoId: string }) {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    await photoAction.label(photoId, { visible: false, confirmed: true });
    closeSheet();
  };
  return (
    <SheetFrame title={t('label.title')}>
      <p>{t('label.duty')}</p>
      <p class="small">{t('label.kept')}</p>
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={confirm}>
          {t('label.confirm')}
        </button>
        <button type="button" onClick={closeSheet}>
          {t('label.keep')}
        </button>
      </div>
    </SheetFrame>
  );
}
