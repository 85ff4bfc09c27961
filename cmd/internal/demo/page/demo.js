// The demo page: calls its own few routes and shows what they answer.

const words = {
  zh: {
    on: '网络：已连接', off: '网络：已断开', at: '在{}扫码', other: 'English', date: '通行日期', owner: '入口',
    bearer: '先到先用：谁先出示，谁使用。', single: '单次通行码', work: '工作证', left: '{} 秒后换新码',
    phone: '码由手机自己生成，断网也能用；截图 30 秒后作废。', repeat: '重复出示', live: '即时', late: '断网补传', bad: '扫一个假码', open: '单独打开',
    pay: '付款码', balance: '余额 ¥{}', payText: '付款码由手机自己生成，断网也能用。',
    steps: '食堂：在收款台按 12.5 和回车；出示付款码，在收款台扫。断开网络，再来一次；恢复后看余额。收银主管 {}。',
  },
  en: {
    on: 'Network: connected', off: 'Network: cut', at: 'Scan at {}', other: '中文', date: 'Valid on', owner: 'Entry gate',
    bearer: 'Whoever presents it first uses it.', single: 'single-use pass', work: 'work pass', left: 'new code in {} s',
    phone: 'Made on the phone, even offline. Screenshots expire in 30 s.', repeat: 'repeat', live: 'live', late: 'after an outage', bad: 'Scan a fake code', open: 'open alone',
    pay: 'payment code', balance: 'Balance ¥{}', payText: 'Made on the phone, even offline.',
    steps: 'Canteen: key in 12.5 and Enter at the till; show the payment code and scan it there. Cut the network and do it again; restore it and see the balance. Supervisor at the till: {}.',
  },
};
let language = 'zh';
let pass = null;
let lost = false; // the last look at the state failed
let renewal; // timer of the next live code
let state = { cut: false, gates: [], tills: [], events: [] };

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

// keep takes a screen from the answer; a live code has an end, by this page's
// own clock.
function keep(answer) {
  pass = { ...pass, ...answer, ends: performance.now() + (answer.left_ms ?? 0) };
  clearTimeout(renewal);
  if (pass.period_ms) renewal = setTimeout(renew, Math.max(answer.left_ms, 50));
}

// renew looks at the phone again. It is the phone that makes the new code.
async function renew() {
  clearTimeout(renewal);
  renewal = setTimeout(renew, 1000); // should the call fail
  const id = pass.id;
  await attempt(async () => {
    const answer = await call('api/live', { pass: id });
    if (pass.id === id) keep(answer);
  });
  showPhone();
}

const yuan = (fen) => (fen / 100).toFixed(2);
const left = () => Math.max(0, pass.ends - performance.now());

function showPhone() {
  if (!pass) return;
  const owned = !pass.period_ms;
  const size = Math.floor(250 / pass.modules) * pass.modules; // whole pixels stay sharp
  const screen = [
    element('strong', pass.name), element('small', pass.kind === 'pay' ? `${word('pay')} ${pass.doc4}` : `${word(owned ? 'single' : 'work')} ····${pass.doc4}`),
    element('img', '', { src: pass.qr, alt: 'QR', width: size, height: size }),
  ];
  if (owned) {
    screen.push(
      element('small', `${word('date')} ${pass.until} · ${word('owner')} ${local(pass.owner)}`),
      element('p', word('bearer'), { className: 'warn' }),
    );
  } else {
    const bar = element('div', '', { className: 'count', ariaHidden: 'true' });
    bar.style.width = `${size}px`;
    const rest = element('i');
    rest.style.animationDuration = `${pass.period_ms}ms`;
    rest.style.animationDelay = `${left() - pass.period_ms}ms`;
    bar.append(rest);
    screen.push(
      bar, element('small', '', { id: 'left' }),
      element('p', word(pass.kind === 'pay' ? 'payText' : 'phone'), { className: 'calm' }),
    );
  }
  if (pass.kind === 'pay') screen.splice(2, 0, element('small', '', { id: 'balance' }));
  $('screen').replaceChildren(...screen);
  countDown();
  showBalance();
}

function showBalance() {
  const text = $('balance');
  if (text && state.balance_fen !== undefined) text.textContent = word('balance', yuan(state.balance_fen));
}

function countDown() {
  const text = $('left');
  if (text) text.textContent = word('left', Math.ceil(left() / 1000));
}

function showLanes() {
  const buttons = [...state.gates, ...state.tills].map((gate) => element('button', word('at', local(gate.name)), {
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
  const [till] = state.tills;
  $('pay').hidden = $('steps').hidden = !till;
  if (till) $('steps').textContent = word('steps', `${till.cashier} / ${till.pin}`);
  const all = [...state.gates, ...state.tills];
  if ($('gates').childElementCount === all.length) return;
  $('gates').replaceChildren(...all.map((gate) => {
    const figure = element('figure', '', { className: gate.cashier ? 'till' : '' });
    const caption = element('figcaption', gate.name);
    const link = element('a', word('open'), { href: gate.url, target: '_blank' });
    link.dataset.zh = words.zh.open; // show() says it again in the other language
    link.dataset.en = words.en.open;
    caption.append(link);
    figure.append(caption, element('iframe', '', { src: gate.url, title: gate.name, allow: 'autoplay' }));
    return figure;
  }));
}

function showNetwork() {
  $('network').setAttribute('aria-checked', String(!state.cut));
  $('network').querySelector('span').textContent = word(state.cut ? 'off' : 'on');
}

function showEvents() {
  const gates = new Map([...state.gates, ...state.tills].map((gate) => [gate.id, gate.name]));
  $('events').replaceChildren(...[...state.events].reverse().map((event) => {
    const row = element('tr');
    const good = event.opens;
    row.append(
      element('td', new Date(event.at).toLocaleTimeString('zh-CN', { hour12: false, timeZone: 'Asia/Shanghai' })),
      element('td', local(gates.get(event.gate) ?? String(event.gate))),
      element('td', `${good ? '✓' : '✕'} ${event[language]}${event.amount_fen ? ` ¥${yuan(event.amount_fen)}` : ''}${event.repeat ? ` · ${word('repeat')}` : ''}`, { title: event.reason, className: good ? 'yes' : 'no' }),
      element('td', event.pass_id, { className: 'pass' }),
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
  try {
    state = await call('api/state');
    if (lost) $('problem').textContent = ''; // what somebody's click came to stays
    lost = false;
  } catch (error) {
    lost = true;
    $('problem').textContent = error.message;
  }
  showGates(); showNetwork(); showEvents(); showBalance();
  if ($('lanes').childElementCount === 0) showLanes();
  setTimeout(refresh, 500);
}

for (const button of $('issue').children) {
  button.onclick = () => attempt(async () => {
    const made = await call('api/issue', { kind: button.dataset.kind });
    pass = null;
    keep(made);
    show();
  });
}
$('network').onclick = () => attempt(async () => { await call('api/network', { cut: !state.cut }); state.cut = !state.cut; showNetwork(); });
$('language').onclick = () => { language = language === 'zh' ? 'en' : 'zh'; show(); };

// Timers of a hidden page are late.
document.addEventListener('visibilitychange', () => { if (!document.hidden && pass?.period_ms) renew(); });
setInterval(countDown, 200);

show();
refresh();
