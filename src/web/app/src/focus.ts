/** Where the keyboard goes on when what it was on is gone: at the button that sends photos. */
export function focusFoot(): void {
  // After the change on the page that took the focus away.
  requestAnimationFrame(() => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (lost) document.querySelector<HTMLElement>('.send')?.focus();
  });
}
