// Which of a channel's ways to pay suits where this page is open.

import type { PayChannel } from './types'

/** Where a page is open. */
export interface Place {
  /** Inside WeChat, whose own pages can pay. */
  wechat: boolean
  /** Who pays, by the official account's menu; "" = not known. */
  openid: string
}

/** The best way of a channel; "" = none can be used here. */
export function wayOf(channel: PayChannel, at: Place): string {
  const order = [at.wechat && at.openid ? 'jsapi' : '', at.wechat ? '' : 'wap', 'trial', 'native', at.wechat ? '' : 'page', 'wap']
  return order.find((way) => way && channel.ways.includes(way)) ?? ''
}

/** Whether a browser is WeChat's. */
export const inWeChat = (agent: string): boolean => /MicroMessenger/i.test(agent)

interface Bridge {
  invoke(name: string, params: Record<string, string>, done: (answer: { err_msg?: string }) => void): void
}

/** Pays with WeChat's own sheet; resolves when it is closed. False = this is not WeChat. */
export function bridgePay(params: Record<string, string>): Promise<boolean> {
  const bridge = (globalThis as { WeixinJSBridge?: Bridge }).WeixinJSBridge
  if (!bridge) return Promise.resolve(false)
  return new Promise((resolve) => bridge.invoke('getBrandWCPayRequest', params, () => resolve(true)))
}
