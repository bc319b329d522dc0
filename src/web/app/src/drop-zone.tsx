import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from './store';
import { sendFiles } from './uploads/queue';

/** Photos may be dropped or pasted anywhere on the page. */
export function DropZone({ children }: { children: ComponentChildren }) {
  const { t } = useTexts();
  const [over, setOver] = useState(false);
  // Entering a child leaves its parent: only the outermost leave counts.
  const depth = useRef(0);

  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = event.clipboardData?.files;
      if (files?.length) sendFiles(files);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);

  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the picker button does the same for keys
    <div
      class="page"
      onDragEnter={(event) => {
        if (!hasFiles(event)) return;
        depth.current += 1;
        setOver(true);
      }}
      onDragLeave={() => {
        depth.current = Math.max(0, depth.current - 1);
        setOver(depth.current > 0);
      }}
      onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        sendFiles(event.dataTransfer?.files ?? []);
      }}
    >
      {children}
      {over && (
        <div class="drop" aria-hidden="true">
          <p>{t('compose.drop')}</p>
        </div>
      )}
    </div>
  );
}
