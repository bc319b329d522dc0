import { type Sheet, useStore } from '../store';
import { AdjustSheet } from './adjust-sheet';
import { CreditsSheet } from './credits-sheet';
import { DetailsSheet } from './details-sheet';
import { HistorySheet } from './history-sheet';
import { LabelSheet } from './label-sheet';
import { MethodSheet, OrderSheet } from './order-sheet';
import { ReceiptSheet } from './receipt-sheet';
import { SettingsSheet } from './settings-sheet';

/** The one open dialog. A key per sheet makes a fresh native dialog for each. */
export function Sheets() {
  const { sheet } = useStore();
  return sheet ? <Open key={JSON.stringify(sheet)} sheet={sheet} /> : null;
}

function Open({ sheet }: { sheet: Sheet }) {
  switch (sheet.name) {
    case 'order':
      return <OrderSheet orderId={sheet.orderId} />;
    case 'method':
      return <MethodSheet photoIds={sheet.photoIds} />;
    case 'credits':
      return <CreditsSheet />;
    case 'history':
      return <HistorySheet />;
    case 'settings':
      return <SettingsSheet />;
    case 'adjust':
      return <AdjustSheet photoId={sheet.photoId} />;
    case 'details':
      return <DetailsSheet photoId={sheet.photoId} />;
    case 'label':
      return <LabelSheet photoId={sheet.photoId} />;
    case 'receipt':
      return <ReceiptSheet orderId={sheet.orderId} />;
  }
}
