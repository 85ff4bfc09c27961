// The demo page: calls its own few routes and shows what they answer.

const words = {
  zh: {
    on: '网络：已连接', off: '网络：已断开', at: '在{}扫码', other: 'English', date: '通行日期', owner: '入口',
    bearer: '先到先用：谁先出示，谁使用。', live: '即时', late: '断网补传', bad: '扫一个假码', open: '单独打开',
  },
  en: {
    on: 'Network: connected', off: 'Network: cut', at: 'Scan at {}', other: '中文', date: 'Valid on', owner: 'Entry gate',
    bearer: 'Whoever presents it first uses it.', live: 'live', late: 'after an outage', bad: 'Scan a forged code', open: 'open alone',
  },
};
let language = 'zh';
let pass = null;
let state = { cut: false, gates: [], events: [] };

const $ = (id) => document.getElementById(id);
const word = (key, value) => words[language][key].replace('{}', value ?? '');
// A gate's name is «中文 English».
const local = (name) => {
  const cut = name.search(/ [A-Z]/);
  return cut < 0 ? name : language === 'zh' ? name.slice(0, cut) : name.slice(cut + 1);
};

function element(tag, text, attributes = {}) {
  const e = document.createElement(tag);
  e.textContent = text ?? '';
  for (const [key, value] of Object.entries(attributes)) e[key] = value;
  return e;
}

async function call(path, body) {
  const request = body === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, request);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

async function attempt(work) {
  try {
    await work();
    $('problem').textContent = '';
  } catch (error) {
    $('problem').textContent = error.message;
  }
}

function showPhone() {
  if (!pass) return;
  $('screen').replaceChildren(
    element('strong', pass.name), element('small', `····${pass.doc4}`),
    element('img', '', { src: pass.qr, alt: 'QR' }),
    element('small', `${word('date')} ${pass.date}`),
    element('small', `${word('owner')} ${local(pass.owner)}`),
    element('p', word('bearer'), { className: 'warn' }),
  );
}

function showLanes() {
  const buttons = state.gates.map((gate) => element('button', word('at', local(gate.name)), {
    type: 'button', disabled: !pass, onclick: () => attempt(() => call('api/scan', { gate: gate.id, pass: pass.id })),
  }));
  if (state.gates.length) {
    buttons.push(element('button', word('bad'), {
      type: 'button', onclick: () => attempt(() => call('api/scan', { gate: state.gates[0].id, text: 'HTTPS://GATE.EXAMPLE.EDU/V/FORGED' })),
    }));
  }
  $('lanes').replaceChildren(...buttons);
}

function showGates() {
  if ($('gates').childElementCount === state.gates.length) return;
  $('gates').replaceChildren(...state.gates.map((gate) => {
    const figure = element('figure');
    const caption = element('figcaption', gate.name);
    caption.append(element('a', word('open'), { href: gate.url, target: '_blank' }));
    figure.append(caption, element('iframe', '', { src: gate.url, title: gate.name, allow: 'autoplay' }));
    return figure;
  }));
}

function showNetwork() {
  $('network').setAttribute('aria-checked', String(!state.cut));
  $('network').querySelector('span').textContent = word(state.cut ? 'off' : 'on');
}

function showEvents() {
  const gates = new Map(state.gates.map((gate) => [gate.id, gate.name]));
  $('events').replaceChildren(...[...state.events].reverse().map((event) => {
    const row = element('tr');
    const good = event.opens;
    row.append(
      element('td', new Date(event.at).toLocaleTimeString('zh-CN', { hour12: false })),
      element('td', local(gates.get(event.gate) ?? String(event.gate))),
      element('td', `${good ? '✓' : '✕'} ${event[language]}`, { title: event.reason, className: good ? 'yes' : 'no' }),
      element('td', event.pass_id),
      element('td', word(event.offline ? 'late' : 'live')),
    );
    return row;
  }));
}

function show() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const e of document.querySelectorAll('[data-zh]')) e.textContent = e.dataset[language];
  $('language').textContent = word('other');
  if (!pass) $('screen').replaceChildren(element('p', language === 'zh' ? '还没有通行码' : 'No pass yet', { className: 'empty' }));
  showPhone(); showLanes(); showGates(); showNetwork(); showEvents();
}

async function refresh() {
  await attempt(async () => { state = await call('api/state'); });
  showGates(); showNetwork(); showEvents();
  if ($('lanes').childElementCount === 0) showLanes();
  setTimeout(refresh, 500);
}

$('issue').onclick = () => attempt(async () => { pass = await call('api/issue', {}); show(); });
$('network').onclick = () => attempt(async () => { await call('api/network', { cut: !state.cut }); state.cut = !state.cut; showNetwork(); });
$('language').onclick = () => { language = language === 'zh' ? 'en' : 'zh'; show(); };

show();
refresh();
