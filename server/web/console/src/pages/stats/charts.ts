// Figures as charts: what the chart library is told, and the same as a table.

import type { EChartsCoreOption } from 'echarts/core'
import { yuan } from '@shared/format'
import { pick } from '@shared/lang'
import { t } from '../../i18n'

export interface Figures {
  by_day: { key: string; count: number; admitted: number; refused: number }[]
  /** Of a single day. */
  by_hour: { key: string; admitted: number; refused: number }[]
  by_gate: { key: string; name: string; count: number; admitted: number; refused: number }[]
  by_reason: { key: string; name: string; en: string; count: number }[]
  by_unit: { key: string; name: string; count: number }[]
  /** Under review now. */
  running: number
}

/** One chart: names along its axis, and a row of numbers for each series. */
export interface Series {
  title: string
  names: string[]
  rows: { name: string; look: 'accent' | 'good' | 'bad'; values: number[] }[]
  /** Bars lie, and those of a name are one after the other. */
  lying?: boolean
  /** The numbers are fen, and shown as yuan. */
  money?: boolean
}

/** How many names a chart shows; its table holds all. */
export const widest = 12

const flows = (list: readonly { admitted: number; refused: number }[]): Series['rows'] => [
  { name: t('stats_admitted'), look: 'good', values: list.map((one) => one.admitted) },
  { name: t('stats_refused'), look: 'bad', values: list.map((one) => one.refused) },
]

/** What the gates decided in each hour of a day. */
export const hoursOf = (figures: Figures, title: string): Series => ({ title, names: figures.by_hour.map((one) => `${one.key}:00`), rows: flows(figures.by_hour) })

export function chartsOf(figures: Figures): Series[] {
  const count = (list: { count: number }[], name = 'stats_count'): Series['rows'] => [{ name: t(name), look: 'accent', values: list.map((one) => one.count) }]
  const { by_day: days, by_gate: gates, by_reason: reasons, by_unit: units } = figures
  return [
    { title: t('stats_by_day'), names: days.map((one) => one.key), rows: [...count(days, 'stats_applications'), ...flows(days)] },
    { title: t('stats_by_gate'), names: gates.map((one) => one.name || one.key), rows: flows(gates), lying: true },
    { title: t('stats_by_reason'), names: reasons.map((one) => pick(one.name, one.en)), rows: count(reasons), lying: true },
    { title: t('stats_by_unit'), names: units.map((one) => one.name), rows: count(units, 'stats_applications'), lying: true },
  ]
}

/** Whether there is anything to draw. */
export const some = (one: Series): boolean => one.rows.some((row) => row.values.some((value) => value !== 0))

/** What the library is told. Colours are those of the page now. */
export function optionOf(one: Series, colour: (name: string) => string): EChartsCoreOption {
  const cut = one.lying ? widest : one.names.length
  const text = { color: colour('--cg-soft') }
  const line = { lineStyle: { color: colour('--cg-line') } }
  const names = { type: 'category', data: one.names.slice(0, cut), axisLabel: { ...text, width: 110, overflow: 'truncate' }, axisLine: line, axisTick: { show: false }, inverse: Boolean(one.lying) }
  const numbers = { type: 'value', minInterval: one.money ? 0.01 : 1, axisLabel: text, splitLine: line }
  return {
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    animation: false,
    grid: { left: 8, right: 16, top: 32, bottom: 4, containLabel: true },
    legend: { show: one.rows.length > 1, top: 0, textStyle: { color: colour('--cg-text') } },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, ...(one.money ? { valueFormatter: (value: unknown) => yuan(Math.round(Number(value) * 100)) } : {}) },
    xAxis: one.lying ? numbers : names,
    yAxis: one.lying ? names : numbers,
    series: one.rows.map((row) => ({
      type: 'bar', name: row.name, data: row.values.slice(0, cut).map((value) => (one.money ? value / 100 : value)), barMaxWidth: 22,
      stack: one.lying || row.look !== 'accent' ? 'all' : undefined, itemStyle: { color: colour(`--cg-${row.look}`) },
    })),
  }
}
