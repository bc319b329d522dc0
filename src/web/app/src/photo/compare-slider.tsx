import { useState } from 'preact/hooks';
import { useTexts } from '../store';

interface Props {
  readonly after: string;
  /** The original, a slim divider and the result, side by side. */
  readonly comparison?: string;
  readonly alt: string;
  /** Width by height of the photo. */
  readonly ratio: number;
}

/**
 * Before and after under one handle. "Before" is the left half of the comparison picture; until it
 * is here, the preview without its colours, which has the same lightness. A range input carries
 * mouse, touch, keys and screen readers at once.
 */
export function CompareSlider({ after, comparison, alt, ratio }: Props) {
  const { t } = useTexts();
  const [share, setShare] = useState(50);
  const [widthShare, setWidthShare] = useState<number>();

  const measure = (image: HTMLImageElement) => {
    const { naturalWidth: width, naturalHeight: height } = image;
    // The whole is two photos and a divider wide; one photo is as wide as its height says.
    if (height > 0) setWidthShare(width / (height * ratio));
  };
  return (
    <figure class="print compare" style={{ '--share': `${share}%`, '--ratio': String(ratio) }}>
      <div class="frame">
        <img class="after" src={after} alt={alt} />
        <div class="before" aria-hidden="true">
          {comparison && (
            <img
              class={widthShare ? 'half' : 'half loading'}
              style={widthShare ? { width: `${widthShare * 100}%` } : undefined}
              src={comparison}
              alt=""
              onLoad={(event) => measure(event.currentTarget)}
            />
          )}
          {!widthShare && <img class="grey" src={after} alt="" />}
        </div>
        <span class="tag left">{t('photo.before')}</span>
        <span class="tag right">{t('photo.after')}</span>
        <span class="handle" aria-hidden="true" />
        <input
          type="range"
          min="0"
          max="100"
          value={share}
          aria-label={t('photo.compare')}
          onInput={(event) => setShare(Number(event.currentTarget.value))}
        />
      </div>
    </figure>
  );
}
