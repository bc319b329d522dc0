import type { Context } from './context.js';
import { NotFound } from './errors/index.js';
import type { ChatRef } from './jobs.js';
import { accounts, creditsOf, transfer } from './ledger.js';
import { startOfDayMs } from './local-day.js';
import { presetOf } from './photo-runs.js';
import type { ChannelId, Language } from './ports/basics.js';
import type { Tables } from './ports/store.js';
import type { Customer, CustomerProfile, CustomerSettings, Newcomer } from './ports/studio.js';
import type { CustomerRecord } from './records.js';

/** How often a known customer's "last seen" is written, ms: every request would be too often. */
const seenStepMs = 3_600_000;
const customerCodeLength = 8;

/** Somebody else created the same identity first. */
class Outrun extends Error {}

/** Who is this? Created at first sight, with welcome credits. */
export async function identify(
  context: Context,
  chat: ChatRef,
  userId: string,
  language: Language,
): Promise<Customer> {
  const { store, clock } = context;
  const before = await known(context, chat, userId);
  if (before) return before;
  try {
    return toCustomer(
      await store.transaction((tables) => create(tables, context, chat, userId, language)),
    );
  } catch (error) {
    if (!(error instanceof Outrun)) throw error;
    const winner = await store.read.customers.byIdentity(chat.channel, userId);
    if (!winner) throw new NotFound('customer');
    return toCustomer(winner);
  } finally {
    context.log.debug('customer.identified', { channel: chat.channel, atMs: clock.now() });
  }
}

/** Who is this? Undefined: nobody yet. */
export async function known(
  context: Context,
  chat: ChatRef,
  userId: string,
): Promise<Customer | undefined> {
  const found = await context.store.read.customers.byIdentity(chat.channel, userId);
  if (!found) return undefined;
  await touch(context, found.id, chat, userId);
  return toCustomer(found);
}

/** What somebody who is nobody yet would find: the welcome credits, no photo. */
export function newcomer({ config }: Context, channel: ChannelId, language: Language): Newcomer {
  return {
    language,
    credits: config.prices.welcomeCredits,
    freePreviewsLeftToday: config.prices.freePreviewsPerDay,
    settings: { preset: config.defaultPreset, finishing: {} },
    identities: [channel],
  };
}

async function create(
  tables: Tables,
  context: Context,
  chat: ChatRef,
  userId: string,
  language: Language,
): Promise<CustomerRecord> {
  const { ids, clock, config } = context;
  const customer: CustomerRecord = {
    id: ids.next('customer'),
    code: ids.code(customerCodeLength),
    language,
    preset: config.defaultPreset,
    finishing: {},
    createdMs: clock.now(),
    erasedMs: null,
    mergedInto: null,
  };
  await tables.customers.insert(customer);
  const identity = { ...chat, userId, customerId: customer.id, seenMs: clock.now() };
  if ((await tables.customers.addIdentity(identity)) === 'exists') throw new Outrun();
  const { welcomeCredits } = config.prices;
  if (welcomeCredits > 0) {
    await transfer(tables, context, {
      key: `welcome:${customer.id}`,
      from: accounts.given(),
      to: accounts.credits(customer.id),
      amount: welcomeCredits,
    });
  }
  return customer;
}

async function touch(
  { store, clock }: Context,
  customerId: string,
  chat: ChatRef,
  userId: string,
): Promise<void> {
  const identities = await store.read.customers.identities(customerId);
  const mine = identities.find((one) => one.channel === chat.channel && one.userId === userId);
  const nowMs = clock.now();
  if (mine?.chatId === chat.chatId && nowMs - mine.seenMs < seenStepMs) return;
  await store.transaction(({ customers }) =>
    customers.touchIdentity(chat.channel, userId, chat.chatId, nowMs),
  );
}

/** What a customer has and has set. */
export async function profile(context: Context, customerId: string): Promise<CustomerProfile> {
  const { read } = context.store;
  const customer = await current(read, customerId);
  const identities = await read.customers.identities(customer.id);
  return {
    ...toCustomer(customer),
    credits: await creditsOf(read, customer.id),
    freePreviewsLeftToday: await previewsLeft(context, read, customer.id),
    settings: { preset: customer.preset, finishing: customer.finishing },
    identities: [...new Set(identities.map((one) => one.channel))],
  };
}

/** Free previews left until the shop's midnight. */
export async function previewsLeft(
  { clock, config }: Context,
  tables: Tables,
  customerId: string,
): Promise<number> {
  const sinceMs = startOfDayMs(clock.now(), config.timeZone);
  const used = await tables.photos.countSince(customerId, sinceMs);
  return Math.max(0, config.prices.freePreviewsPerDay - used);
}

/** The language in which a customer is answered from now on. */
export async function setLanguage(context: Context, customerId: string, language: Language) {
  await context.store.transaction(async (tables) => {
    const customer = await current(tables, customerId);
    await tables.customers.update(customer.id, { language });
  });
}

/** @throws {InvalidRequest} no such preset. */
export async function setSettings(
  context: Context,
  customerId: string,
  settings: Partial<CustomerSettings>,
): Promise<void> {
  if (settings.preset !== undefined) presetOf(context, settings.preset);
  await context.store.transaction(async (tables) => {
    const customer = await current(tables, customerId);
    await tables.customers.update(customer.id, settings);
  });
}

/**
 * The customer behind an id, following merges.
 * @throws {NotFound}
 */
export async function current(tables: Tables, customerId: string): Promise<CustomerRecord> {
  const customer = await tables.customers.find(customerId);
  if (!customer) throw new NotFound('customer');
  return customer.mergedInto === null ? customer : current(tables, customer.mergedInto);
}

/** The same, and nobody else changes what is theirs before this transaction ends. */
export async function lockCustomer(tables: Tables, customerId: string): Promise<CustomerRecord> {
  const customer = await tables.customers.lock(customerId);
  if (!customer) throw new NotFound('customer');
  return customer.mergedInto === null ? customer : lockCustomer(tables, customer.mergedInto);
}

function toCustomer({ id, language, code }: CustomerRecord): Customer {
  return { id, language, customerCode: code };
}
