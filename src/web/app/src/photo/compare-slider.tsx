import { useState } from 'preact/hooks';
import { useTexts } from '../store';
import { allWidths } from './picture-sizes';

interface Props {
  readonly after: string;
  /** The original, a slim divider and the result, side by side. */
  readonly comparison?: string;
  readonly alt: string;
  /** Width by height of the photo. */
  readonly ratio: number;
}

/** The frame is never wider (styles/photo.css). */
const widestCssPx = 700;
/** Long edge of previews as the studio makes them by default, px. */
const previewEdgePx = 1024;

function previewWidth(ratio: number): number {
  return Math.round(previewEdgePx * Math.min(1, ratio));
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
  const sized = sizedPicture(after, ratio);
  return (
    <figure class="print compare" style={{ '--share': `${share}%`, '--ratio': String(ratio) }}>
      <div class="frame">
        <img class="after" {...sized} alt={alt} />
        <div class="before" aria-hidden="true">
          {comparison && (
            <img
              class={widthShare ? 'half' : 'half loading'}
              style={widthShare ? { width: `${widthShare * 100}%` } : undefined}
              loading="lazy"
              sizes={`(min-width: 728px) ${2 * widestCssPx}px, 200vw`}
              srcset={allWidths(comparison, 2 * previewWidth(ratio))}
              src={comparison}
              alt=""
              onLoad={(event) => measure(event.currentTarget)}
            />
          )}
          {!widthShare && <img class="grey" {...sized} alt="" />}
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
          aria-valuetext={t('photo.share', { percent: 100 - share })}
          onInput={(event) => setShare(Number(event.currentTarget.value))}
        />
      </div>
    </figure>
  );
}

/** Attributes of an image that is as wide as the frame. */
function sizedPicture(url: string, ratio: number) {
  return {
    // Where it is not seen it is not fetched.
    loading: 'lazy',
    sizes: `(min-width: 728px) ${widestCssPx}px, 100vw`,
    srcset: allWidths(url, previewWidth(ratio)),
    src: url,
  } as const;
}
