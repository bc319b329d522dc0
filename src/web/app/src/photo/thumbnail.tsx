import { useState } from 'preact/hooks';
import { Icon } from '../icons';

/** A picture's address, and whether it stands for the photo before it had colours. */
export interface ThumbnailSource {
  readonly url?: string;
  readonly grey?: boolean;
}

/** The highest that one is shown (styles/photo.css). */
const heightPx = 150;

/**
 * The first of these pictures that the browser can show: scans in TIFF and broken files it cannot.
 * When none is left, a sign of a picture.
 */
export function Thumbnail(props: {
  sources: readonly ThumbnailSource[];
  alt: string;
  /** Width by height, where it is known: its place is kept until the picture is there. */
  ratio?: number;
}) {
  const [failed, setFailed] = useState<readonly string[]>([]);
  const shown = props.sources.find(({ url }) => url && !failed.includes(url));
  if (!shown?.url) {
    return (
      <span class="unshown" role="img" aria-label={props.alt}>
        <Icon name="history" />
      </span>
    );
  }
  const { url, grey } = shown;
  return (
    <img
      key={url}
      class={grey ? 'grey' : undefined}
      src={url}
      alt={props.alt}
      width={props.ratio && Math.round(heightPx * props.ratio)}
      height={props.ratio && heightPx}
      loading="lazy"
      onError={() => setFailed([...failed, url])}
    />
  );
}
