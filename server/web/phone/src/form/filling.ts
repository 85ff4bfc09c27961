// One form while it is filled in: a new one, a draft, or one that came back.

import { get, post, refusalOf, type Refusal } from '@shared/api'
import { answers, beginning, faultsOf, isRequired, type Faults } from '@shared/forms'
import { pick } from '@shared/lang'
import type { Application, ChartNode, FormField, FormValues, Preview, ServiceForm } from '@shared/types'
import { computed, ref, shallowRef, watch } from 'vue'
import { t } from '../i18n'
import { session } from '../state/session'
import { knowFiles } from './files'
import { knowPeople } from './names'
import { forgetTyped, keepTyped, keepable, typed } from './typed'

/** What of a matter or a service the page needs. */
export interface Form {
  name: string
  version: number
  form: FormField[]
  chart: ChartNode[]
  note: string
  /** A draft of this person, which may be thrown away. */
  draft: boolean
}

export interface Outcome {
  /** The matter as it is now, when it went well. */
  matter?: Application
  /** To be shown as a whole; faults of single fields are at the fields. */
  refusal?: Refusal
}

/** A key of our own for one application: sent twice, it is still one. */
function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('')
}

export function useFilling(flow: string, id: string) {
  const form = shallowRef<Form | null>(null)
  const values = ref<FormValues>({})
  const faults = shallowRef<Faults>({})
  const preview = shallowRef<Preview['steps'] | null>(null)
  const busy = ref<'' | 'submit' | 'save' | 'check'>('')
  const sendingFiles = ref(false)
  const restored = ref(false)
  const owner = session.me.value?.number ?? ''
  const key = freshKey()
  let began = ''

  async function open(): Promise<void> {
    if (id) {
      const matter = await get<Application>(`/applications/${id}`)
      form.value = {
        name: pick(matter.flow_name, matter.flow_en), version: matter.version, form: matter.form, chart: matter.chart, note: '',
        draft: matter.actions.includes('discard'),
      }
      knowFiles(matter.files ?? [])
    } else {
      const service = await get<ServiceForm>(`/services/${flow}`)
      form.value = { name: pick(service.name, service.en), version: service.version, form: service.form, chart: service.chart, note: service.note ?? '', draft: false }
    }
    values.value = beginning(form.value.form)
    began = JSON.stringify(values.value)
    const before = id ? null : typed(flow, owner)
    if (before && Object.keys(before).length) {
      values.value = { ...values.value, ...before }
      restored.value = true
    }
  }

  watch(values, (now) => {
    if (form.value && !id && JSON.stringify(now) !== began) keepTyped(flow, owner, keepable(form.value.form, now))
  })

  /** Another answer, other reviewers, and a fault less. */
  function changed(field: string): void {
    if (faults.value[field]) {
      const rest = { ...faults.value }
      delete rest[field]
      faults.value = rest
    }
    preview.value = null
  }

  const wire = () => answers(flow, form.value?.form ?? [], values.value)

  /** Asks the server who would review this. */
  async function check(): Promise<Refusal | null> {
    if (busy.value || !sound()) return null
    busy.value = 'check'
    try {
      const answer = await post<Preview>(`/services/${flow}/preview`, { form: wire() })
      for (const step of answer.steps) knowPeople(step.people)
      preview.value = answer.steps
      return null
    } catch (e) {
      return whole(refusalOf(e))
    } finally {
      busy.value = ''
    }
  }

  function sound(): boolean {
    faults.value = faultsOf(flow, form.value?.form ?? [], values.value)
    return Object.keys(faults.value).length === 0
  }

  /** Submits the form, or stores it as a draft. */
  async function send(submit: boolean): Promise<Outcome | null> {
    if (busy.value || !form.value || (submit && !sound())) return null
    busy.value = submit ? 'submit' : 'save'
    try {
      const matter = id
        ? await post<Application>(`/applications/${id}/act`, { verb: submit ? 'submit' : 'save', form: wire() })
        : await post<Application>('/applications', { flow, form: wire(), submit, cc: [], key: submit ? key : freshKey() })
      forgetTyped(flow)
      return { matter }
    } catch (e) {
      const refusal = whole(refusalOf(e))
      return refusal ? { refusal } : null
    } finally {
      busy.value = ''
    }
  }

  /** A refusal that names one of our fields goes to the field; only others are shown as a whole. */
  function whole(refusal: Refusal): Refusal | null {
    const id = refusal.details.field
    const field = form.value?.form.find((f) => f.id === id && !f.readonly)
    if (!field) return refusal
    const kind = refusal.code === 'REQUIRED' ? 'required' : 'server'
    faults.value = { [field.id]: { kind, text: refusal.message } }
    // A day that must be another one deserves more than a line.
    return typeof refusal.details.next_date === 'string' ? refusal : null
  }

  function clear(): void {
    forgetTyped(flow)
    restored.value = false
    faults.value = {}
    values.value = beginning(form.value?.form ?? [])
  }

  /** Takes the day that the server offers. */
  function takeDate(next: string): void {
    const field = form.value?.form.find((f) => f.type === 'date' && !f.readonly && isRequired(f, values.value))
    if (!field) return
    values.value = { ...values.value, [field.id]: next }
    changed(field.id)
  }

  const blocked = computed(() => (sendingFiles.value ? t('form_file_busy') : ''))

  return { form, values, faults, preview, busy, sendingFiles, blocked, restored, open, changed, check, send, clear, takeDate }
}
