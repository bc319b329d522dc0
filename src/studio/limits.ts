/**
 * Every bound of the product, with its unit. A limit that operators may change has its default
 * here and its setting in config/default.yaml.
 */
export const limits = {
  photo: {
    /** Decoded size. 600 dpi scans of 30 x 40 cm are about 67 MP; 120 leaves room. */
    megapixels: 120,
    /** Upload size. A 100 MP 16-bit RGB TIFF is 600 MB, but nobody sends one by chat. */
    uploadBytes: 100_000_000,
    /** File size on the command line, where the file is already here. */
    fileBytes: 2_000_000_000,
    shortEdgePx: 16,
    /** No edge longer than this, whatever the area: JPEG itself ends at 65,535. */
    longEdgePx: 65_500,
  },
  model: {
    /** Input sides are multiples of this. */
    stridePx: 32,
    minSizePx: 64,
    maxSizePx: 2048,
  },
  inference: {
    startTimeoutMs: 60_000,
    runTimeoutMs: 180_000,
    idleUnloadMs: 600_000,
  },
  web: {
    /** JSON bodies and form fields, bytes. */
    bodyBytes: 64_000,
    /** A provider's notification, bytes; real ones stay under 10 kB. */
    notificationBytes: 256_000,
    /** From the first byte to the last of one request: 100 MB at 1 Mbit/s. */
    requestTimeoutMs: 900_000,
    /** Silence on a live connection is broken this often, or proxies cut it. */
    heartbeatMs: 15_000,
    /** How often a waiting photo's place in the queue is looked up for a watcher. */
    livePollMs: 2_000,
    /** Waiting things one live connection follows; of more, the newest. */
    liveTopicsPerStream: 60,
    /** Orders, and photos, read again at each look, over all connections: another process may have changed them. */
    liveReadsPerPoll: 25,
    /** How long the rest of a refused upload is listened to. */
    hearOutMs: 20_000,
    /** Uploads left over by a killed process are removed after this. */
    staleUploadMs: 3_600_000,
    /** An upload that was cut is kept this long for its sender to go on with. */
    partKeepMs: 86_400_000,
    /** Cut uploads of one customer; of more, the oldest go. */
    partsPerCustomer: 20,
    /** Cut uploads of everybody. */
    partsAtOnce: 1_000,
    /** Left free on the disk when an upload begins. */
    spareBytes: 100_000_000,
    /** How long an answer waits for the gateway's code before it goes out without one. */
    offerWaitMs: 8_000,
    photosPerPage: 100,
    ordersPerPage: 100,
  },
  fleet: {
    /** A blob that a worker hands in, bytes. */
    blobBytes: 2_000_000_000,
    /** Left free when a worker hands something in. */
    spareBytes: 100_000_000,
    /** Half uploads lying about. */
    uploadsAtOnce: 1_000,
  },
  chat: {
    /** Photos that are shown, priced and bought together; no more than one order takes. */
    albumPhotos: 50,
  },
  /** Looks of one photo, over all its runs. */
  looksPerPhoto: 24,
  studio: {
    photosPerOrder: 50,
    /** A restore that keeps failing is reported to the customer after this many tries. */
    restoreAttempts: 5,
    unlockAttempts: 6,
    /** Asking a gateway about one order at a customer's request, ms between two. */
    refreshEveryMs: 2_000,
    /** Who was given files without a visible label: six months, at their longest. */
    labelWaiverDays: 184,
    /** Rows one round of a sweeper touches. */
    sweepRows: 200,
    /** Files that one step of retention looks at: under 20 ms on an old PC. */
    retentionRows: 50,
    /** Jobs of the outbox that are asked about at the same time. */
    overdueAtOnce: 16,
    /** Jobs relayed this long ago and still not done are looked up in the queue. */
    overdueMs: 60_000,
    /** Blobs younger than this are never taken for orphans. */
    orphanAgeMs: 3_600_000,
    creditCodesPerBatch: 10_000,
  },
} as const;
