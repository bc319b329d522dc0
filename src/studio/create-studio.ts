import * as codes from './codes.js';
import type { StudioConfig } from './config.js';
import type { Context, StudioDeps } from './context.js';
import * as customers from './customers.js';
import * as deleting from './delete-photos.js';
import { chooseLabel } from './label-choice.js';
import { createLive } from './live.js';
import * as notifications from './notifications.js';
import * as orders from './orders.js';
import * as photos from './photos.js';
import { methodsOf } from './place-order.js';
import { createPlaces } from './places.js';
import { noMetrics } from './ports/metrics.js';
import type { Studio } from './ports/studio.js';
import { followProgress } from './progress.js';
import { leaveQuestion } from './questions.js';
import { submitPhoto } from './submit-photo.js';
import { createSureTime } from './sure-time.js';
import { topUp, unlock } from './unlock-photos.js';

/** The context that calls, stages and sweepers of one process share. */
export function createContext(deps: StudioDeps, config: StudioConfig): Context {
  const places = createPlaces(deps.queue, deps.clock);
  const { store, clock, metrics = noMetrics } = deps;
  const sureTime = createSureTime(clock, (beforeMs) => store.read.photos.newestMs(beforeMs));
  return { ...deps, config, places, live: createLive(), metrics, sureTime };
}

/** Everything a channel can ask for, over a context. */
export function createStudio(context: Context): Studio & { close(): void } {
  const stopFollowing = followProgress(context);
  return {
    identify: (...args) => customers.identify(context, ...args),
    known: (...args) => customers.known(context, ...args),
    newcomer: (...args) => customers.newcomer(context, ...args),
    profile: (...args) => customers.profile(context, ...args),
    setLanguage: (...args) => customers.setLanguage(context, ...args),
    setSettings: (...args) => customers.setSettings(context, ...args),
    createLinkCode: (...args) => codes.createLinkCode(context, ...args),
    redeemLinkCode: (...args) => codes.redeemLinkCode(context, ...args),
    redeemCreditCode: (...args) => codes.redeemCreditCode(context, ...args),

    submitPhoto: (...args) => submitPhoto(context, ...args),
    photo: (...args) => photos.photo(context, ...args),
    photos: (...args) => photos.photos(context, ...args),
    timeline: (...args) => photos.timeline(context, ...args),
    addVariants: (...args) => photos.addVariants(context, ...args),
    adjust: (...args) => photos.adjust(context, ...args),
    selectLook: (...args) => photos.selectLook(context, ...args),
    cancelPhoto: (...args) => photos.cancelPhoto(context, ...args),
    chooseLabel: (...args) => chooseLabel(context, ...args),
    deletePhoto: (...args) => deleting.deletePhoto(context, ...args),
    erase: (...args) => deleting.erase(context, ...args),

    prices: () => context.config.prices,
    methods: (channel) => methodsOf(context, channel),
    unlock: (...args) => unlock(context, ...args),
    topUp: (...args) => topUp(context, ...args),
    order: (...args) => orders.order(context, ...args),
    orders: (...args) => orders.orders(context, ...args),
    orderByPayToken: (...args) => orders.orderByPayToken(context, ...args),
    cancelOrder: (...args) => orders.cancelOrder(context, ...args),
    receipt: (...args) => orders.receipt(context, ...args),
    refreshOrder: (...args) => orders.refreshOrder(context, ...args),

    receiveNotification: (...args) => notifications.receiveNotification(context, ...args),
    approvePreCheckout: (...args) => notifications.approvePreCheckout(context, ...args),

    leaveQuestion: (...args) => leaveQuestion(context, ...args),

    places: () => context.places.now(),
    watch: (customerId, listener) => context.live.watch(customerId, listener),
    close: stopFollowing,
  };
}
