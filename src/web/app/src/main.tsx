import { render } from 'preact';
import { start, wordsOf } from './actions';
import { Chat } from './chat';
import { Composer } from './composer';
import { DropZone } from './drop-zone';
import { Header } from './header';
import { goLive } from './live';
import { Sheets } from './sheets/sheets';
import { getState, setState, toast, useStore, useTexts } from './store';
import { resumeUploads, wakeUploads } from './uploads/queue';

function App() {
  const { toast: line, online } = useStore();
  const { t } = useTexts();
  return (
    <DropZone>
      <Header />
      {!online && (
        <p class="offline" role="status">
          {t('live.offline')}
        </p>
      )}
      <Chat />
      <Composer />
      <Sheets />
      <div class="toasts" role={line?.bad ? 'alert' : 'status'} aria-live="polite">
        {line && <p class={line.bad ? 'toast bad' : 'toast'}>{line.text}</p>}
      </div>
    </DropZone>
  );
}

/** The studio may still be starting, or the phone has no network yet: keep trying. */
async function begin(): Promise<void> {
  try {
    await start();
    setState({ online: true });
    goLive();
    wakeUploads();
  } catch (error) {
    setState({ online: false });
    toast(wordsOf(error), true);
    setTimeout(begin, 4000);
  }
}

// Known at once, not only when a request fails.
addEventListener('offline', () => setState({ online: false }));
addEventListener('online', () => getState().me && goLive());

// The browser would go back to where it was, before the photos are there.
history.scrollRestoration = 'manual';
resumeUploads();
render(<App />, document.getElementById('app')!);
void begin();
