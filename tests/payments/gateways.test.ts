import { gatewayContract } from '../contracts/gateway-contract.js';
import { alipayStand, starsStand, wechatpayStand } from './stands.js';

gatewayContract('alipay, public key, PKCS#8', () => alipayStand());
gatewayContract('alipay, certificates, PKCS#1', () => alipayStand({ certificates: true, pkcs: 1 }));
gatewayContract('wechatpay, platform certificates', () => wechatpayStand());
gatewayContract('wechatpay, public key', () => wechatpayStand({ mode: 'publicKey' }));
gatewayContract('telegram stars', starsStand);
