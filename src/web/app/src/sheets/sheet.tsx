import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { closeSheet } from '../actions';
import { focusFoot } from '../focus';
import { Icon } from '../icons';
import { useTexts } from '../store';

/** A native dialog: it keeps the focus inside and closes with Escape. */
export function SheetFrame({ title, children }: { title: string; children: ComponentChildren }) {
  const { t } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // However it goes away, the keyboard goes on where it was.
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else focusFoot();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a native dialog
    <dialog
      ref={dialog}
      class="sheet"
      aria-label={title}
      onClose={closeSheet}
      onClick={(event) => event.target === dialog.current && closeSheet()}
    >
      <div class="sheet-inner">
        <header>
          <h2>{title}</h2>
          <button type="button" class="round" aria-label={t('close')} onClick={closeSheet}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
