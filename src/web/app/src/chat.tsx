import { useLayoutEffect, useRef } from 'preact/hooks';
import { attempt, loadOlder } from './actions';
import { PhotoMessage } from './photo/photo-message';
import { useStore, useTexts } from './store';
import { UploadMessage } from './uploads/upload-message';

/** The conversation: oldest first, news at the foot. */
export function Chat() {
  const { photos, uploads, morePhotos, me } = useStore();
  const { t } = useTexts();
  const newest = photos.at(-1);
  const news = `${newest?.id} ${newest?.status} ${newest?.looks.length} ${uploads.length}`;

  // Follow what happens at the foot, unless the reader is further up; what one sends is always shown.
  const sent = useRef(0);
  const opened = useRef(false);
  // Before it is painted: pictures further up are not even asked for.
  useLayoutEffect(() => {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    const below = scrollHeight - clientHeight - scrollTop;
    const sending = uploads.length > sent.current;
    sent.current = uploads.length;
    const opening = !opened.current && photos.length > 0;
    if (opening) opened.current = true;
    if (opening || sending || below < 2 * clientHeight) window.scrollTo(0, scrollHeight);
  }, [news]);

  return (
    <main class="chat" aria-busy={!me}>
      {morePhotos && (
        <button type="button" class="quiet" onClick={() => attempt(loadOlder)}>
          {t('history.showAll')}
        </button>
      )}
      {me && photos.length === 0 && uploads.length === 0 && <Welcome />}
      <ol class="messages">
        {photos.map((photo) => (
          <PhotoMessage key={photo.id} photo={photo} />
        ))}
        {uploads.map((upload) => (
          <UploadMessage key={upload.key} upload={upload} />
        ))}
      </ol>
    </main>
  );
}

function Welcome() {
  const { t } = useTexts();
  return (
    <section class="welcome">
      <svg class="hero" viewBox="0 0 320 220" aria-hidden="true">
        <defs>
          <clipPath id="photo">
            <path d="M16 16h288v150H16z" />
          </clipPath>
        </defs>
        <path class="paper" d="M2 2h316v216H2z" />
        <g clip-path="url(#photo)">
          <path class="grey-sky" d="M0 0h160v220H0z" />
          <path class="sky" d="M160 0h160v220H160z" />
          <circle class="sun" cx="214" cy="62" r="20" />
          <path class="grey-far" d="M0 130l60-48 48 34 52-30v80H0z" />
          <path class="far" d="M160 86l44 34 50-52 66 58v40H160z" />
          <path class="grey-near" d="M0 150c60-26 110-22 160-2v40H0z" />
          <path class="near" d="M160 148c60 22 110 10 160-16v60H160z" />
          <path class="grey-roof" d="M86 124l24-20 24 20v30H86z" />
          <path class="roof" d="M222 128l24-20 24 20z" />
          <path class="wall" d="M228 128h36v26h-36z" />
        </g>
        <path class="seam" d="M160 16v150" />
        <circle class="knob" cx="160" cy="92" r="13" />
        <path class="arrows" d="M156 87l-5 5 5 5M164 87l5 5-5 5" />
      </svg>
      <h2>{t('hero.title')}</h2>
      <p>{t('hero.text')}</p>
      <p class="small">{t('hero.private')}</p>
    </section>
  );
}
