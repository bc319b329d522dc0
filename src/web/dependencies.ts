import type { Clock, Logger, Messages } from '../studio/ports/basics.js';
import type { Blobs } from '../studio/ports/blobs.js';
import type { PaymentGateway, RawNotification } from '../studio/ports/gateway.js';
import type { Studio } from '../studio/ports/studio.js';

/** For workers that have no bucket. */
export interface FleetConfig {
  /** They carry it as `Authorization: Bearer`; at least 32 characters. */
  readonly token: string;
  /** Uploads under way; on the blobs' disk, so that they can be moved. */
  readonly uploadDir: string;
}

/** One line of /readyz. Throws when that part cannot work; may answer a detail such as free space. */
export interface HealthCheck {
  readonly name: string;
  /** Without this part we do less, but we work: /readyz says "degraded", and 200. */
  readonly dispensable?: boolean;
  check(): Promise<string | undefined>;
}

/** The sandbox gateway's till: what a customer would do in a payment app. */
export interface SandboxTill {
  /** What the QR code of a charge says; the last part of the path is the trade's number. */
  tradeOf(qr: string): string | undefined;
  /** What the till shows before paying. Undefined: no such trade. */
  look(outTradeNo: string): Promise<SandboxTrade | undefined>;
  /** Pay; a second time changes nothing. Answers the signed notification a provider would send. */
  pay(outTradeNo: string): Promise<RawNotification>;
}

/** What the sandbox's till shows of a trade. */
export interface SandboxTrade {
  readonly amountFen: number;
  readonly state: 'open' | 'paid' | 'closed' | 'refunded';
}

/** A chat service's own calls: authenticated by a header that only it knows. */
export interface Webhook {
  readonly path: string;
  readonly secretHeader: string;
  /** @returns HTTP status. */
  receive(secret: string | undefined, body: unknown): Promise<number>;
}

/** Models that workers may fetch from here. */
export interface FleetModels {
  /** Undefined: not here, or not for handing on. */
  published(id: string): { readonly file: string; readonly record: object } | undefined;
}

/** What `GET /console/<key>` shows to the operator. */
export interface OperatorPage {
  readonly key: string;
  /** Login of the WeChat account; `qr` is the content of the code that waits to be scanned. */
  readonly wechat: () => {
    readonly state: 'starting' | 'scan' | 'running' | 'loggedOut' | 'stopped';
    readonly qr?: string;
  };
}

/** Everything the web ring is given. */
export interface WebDeps {
  readonly studio: Studio;
  readonly blobs: Blobs;
  readonly messages: Messages;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gateways whose notifications arrive at `POST /notify/<id>`. */
  readonly gateways: readonly Pick<PaymentGateway, 'id' | 'notificationReply'>[];
  /** Chat services that call us instead of being polled. */
  readonly webhooks?: readonly Webhook[];
  readonly fleetModels?: FleetModels;
  /** Absent while there is nothing to show. */
  readonly operatorPage?: OperatorPage;
  /** Absent when the sandbox is off. */
  readonly sandbox?: SandboxTill;
  /** Draw a QR code as SVG markup. */
  readonly qrSvg: (text: string) => Promise<string>;
  /** Checks of /readyz: database, queue, inference child, disk. */
  readonly health: readonly HealthCheck[];
  /** `/metrics` for Prometheus and the bearer token it asks for; absent: no such page. */
  readonly metrics?: {
    readonly token: string;
    read(): Promise<{ readonly contentType: string; readonly text: string }>;
  };
}

/** Settings of the web ring; a limit of 0 means no limit. */
export interface WebConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How the outside reaches us, without a trailing slash. Absent: see `outsideAddress`. */
  readonly publicUrl?: string;
  /** Reverse proxies whose X-Forwarded-* are believed: how many, or their networks. */
  readonly trustProxy: false | number | readonly string[];
  /** Half-done uploads lie here; on the blobs' disk, so that they can be moved. */
  readonly uploadDir: string;
  /** Uploads that were cut wait here for their sender; on the same disk. */
  readonly partDir: string;
  /** Signs the cookies: at least 32 random bytes as text. */
  readonly cookieKey: string;
  /** Largest upload, bytes. */
  readonly uploadBytes: number;
  readonly requestsPerMinutePerAddress: number;
  readonly requestsPerMinutePerCustomer: number;
  readonly uploadsPerMinutePerCustomer: number;
  readonly newCustomersPerHourPerAddress: number;
  readonly liveConnections: number;
  readonly liveConnectionsPerCustomer: number;
  /** Absent: no routes for workers. */
  readonly fleet?: FleetConfig;
  /** Built front end; default dist/web/app of this package. */
  readonly appDir?: string;
}

/** The server, until it is closed. */
export interface WebServer {
  /** @returns where to point a browser. @throws {AddressInUse} */
  listen(): Promise<{ url: string }>;
  /** Ends live connections, lets running requests finish within `timeoutMs`, then cuts them. */
  close(timeoutMs?: number): Promise<void>;
}
