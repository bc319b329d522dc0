/** A file that is not sent yet, as it lies in this browser's database. */
export interface StoredUpload {
  /** 32 hex digits that sort by age; the server knows the upload by them. */
  readonly key: string;
  readonly name: string;
  readonly preset: string;
  readonly file: Blob;
  /** The tab that sends it (tab-lease.ts). */
  readonly owner: string;
  /** Why it will not be sent by itself any more. */
  readonly refusal?: { readonly words: string; readonly again: boolean };
}

const storeName = 'uploads';
let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('huancai', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
  return opening;
}

async function change<T>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const transaction = (await open()).transaction(storeName, mode);
  const request = act(transaction.objectStore(storeName));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

/**
 * What waits to be sent outlives the page. A browser without room, or one that keeps nothing, sends
 * from memory only: then the warning on leaving is all there is.
 */
export const uploadStore = {
  all: (): Promise<StoredUpload[]> =>
    change('readonly', (store) => store.getAll() as IDBRequest<StoredUpload[]>).catch(() => []),
  put: (upload: StoredUpload): Promise<void> =>
    change('readwrite', (store) => store.put(upload)).then(
      () => {},
      () => {},
    ),
  remove: (key: string): Promise<void> =>
    change('readwrite', (store) => store.delete(key)).catch(() => {}),
  clear: (): Promise<void> => change('readwrite', (store) => store.clear()).catch(() => {}),
};
