import { useRef } from 'preact/hooks';
import { Icon } from './icons';
import { setState, useStore, useTexts } from './store';
import { sendFiles } from './uploads/queue';
import { UploadsLine } from './uploads/upload-message';

const presets = ['auto', 'portrait', 'building'] as const;
/** What the studio reads. Without HEIC in it iPhones hand over a JPEG of what they took. */
const accept = 'image/jpeg,image/png,image/webp,image/tiff,image/avif,image/gif';

/** Foot of the page: pick, take, and say what the photos show. */
export function Composer() {
  const { t } = useTexts();
  const { preset } = useStore();
  const picker = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    sendFiles([...(input.files ?? [])]);
    input.value = '';
  };
  return (
    <footer class="composer">
      <UploadsLine />
      <div class="composer-inner">
        <button type="button" class="primary send" onClick={() => picker.current?.click()}>
          <Icon name="plus" />
          {t('compose.add')}
        </button>
        <button
          type="button"
          class="round solid camera"
          aria-label={t('compose.camera')}
          title={t('compose.camera')}
          onClick={() => camera.current?.click()}
        >
          <Icon name="camera" />
        </button>
        <label class="preset">
          <span class="visually-hidden">{t('compose.preset')}</span>
          <select
            value={preset}
            onChange={(event) => setState({ preset: event.currentTarget.value })}
          >
            {presets.map((name) => (
              <option key={name} value={name}>
                {t(`preset.${name}`)}
              </option>
            ))}
          </select>
        </label>
        <span class="hint">{t('compose.hint')}</span>
      </div>
      <input
        ref={picker}
        class="visually-hidden"
        type="file"
        name="photo"
        accept={accept}
        multiple
        tabIndex={-1}
        aria-label={t('compose.add')}
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={camera}
        class="visually-hidden"
        type="file"
        name="camera"
        accept="image/*"
        capture="environment"
        tabIndex={-1}
        aria-label={t('compose.camera')}
        onChange={(event) => take(event.currentTarget)}
      />
    </footer>
  );
}
