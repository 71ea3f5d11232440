// node-smpp as a message centre (`smsc PORT [CERTIFICATE KEY]`) or as a client (`esme`), led by lines on standard
// input: words with a tab between them. What happens is told by lines of JSON on standard output.
'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const RECEIPT = 0x04;
const tell = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

// --- messages ----------------------------------------------------------------------------

function told(pdu) {
  const content = pdu.message_payload || pdu.short_message;
  const udh = content.udh || [];
  return {
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    tons: [pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi],
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery,
    text: String(content.message),
    udh: Buffer.concat(udh).toString('hex'),
    sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum].filter((n) => n !== undefined),
    is_payload: pdu.message_payload !== undefined,
    message_state: pdu.message_state,
    receipted_message_id: pdu.receipted_message_id,
  };
}

function message(source, destination, coding, text, udh) {
  const header = udh ? Buffer.from(udh, 'hex') : undefined;
  return {
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: source,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: destination,
    data_coding: Number(coding),
    short_message: header ? { udh: header, message: text } : { message: text },
  };
}

function payload(source, destination, coding, text) {
  const { short_message, ...rest } = message(source, destination, coding, text);
  return { ...rest, message_payload: short_message };
}

// --- both roles --------------------------------------------------------------------------

let session = null;

function attend(attended) {
  attended.on('enquire_link', (pdu) => {
    tell('enquire_link');
    attended.send(pdu.response());
  });
  attended.on('unbind', (pdu) => {
    tell('unbind');
    attended.send(pdu.response(), () => attended.close());
  });
  attended.on('generic_nack', (pdu) => tell('generic_nack', { status: pdu.command_status }));
  attended.on('error', (error) => tell('error', { words: String(error) }));
  attended.on('close', () => tell('lost'));
}

const common = {
  enquire: () => session.enquire_link((pdu) => tell('enquire_link_resp', { status: pdu.command_status })),
  unbind: () =>
    session.unbind((pdu) => {
      tell('unbind_resp', { status: pdu.command_status });
      session.close();
    }),
  cut: () => session.destroy(),
};

// --- a message centre --------------------------------------------------------------------

const PASSWORD = 'secret';
let refusal = 0;
let refusals = 0;
let ids = 0;

function receipt(opened, pdu, id) {
  const now = new Date().toISOString().replace(/\D/g, '').slice(2, 12);
  const words = `id:${id} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:DELIVRD err:000 text:`;
  const fields = message(pdu.destination_addr, pdu.source_addr, 0, words);
  opened.deliver_sm({ ...fields, esm_class: RECEIPT, receipted_message_id: id, message_state: 2 });
}

function serve(opened) {
  attend(opened);
  for (const kind of ['bind_transmitter', 'bind_receiver', 'bind_transceiver']) {
    opened.on(kind, (pdu) => {
      const status = pdu.password === PASSWORD ? 0 : smpp.ESME_RINVPASWD;
      if (!status) session = opened;
      const { system_id, interface_version } = pdu;
      tell('bind', { kind, system_id, interface_version, status });
      opened.send(pdu.response({ command_status: status, system_id: 'node-smpp' }));
    });
  }
  opened.on('submit_sm', (pdu) => {
    if (refusals > 0) {
      refusals -= 1;
      tell('refused', { status: refusal });
      opened.send(pdu.response({ command_status: refusal }));
      return;
    }
    const message_id = `node-${process.pid}-${++ids}`;
    tell('submit_sm', told(pdu));
    opened.send(pdu.response({ message_id }), () => {
      if (pdu.registered_delivery & 1) receipt(opened, pdu, message_id);
    });
  });
  opened.on('deliver_sm_resp', (pdu) => tell('deliver_sm_resp', { status: pdu.command_status }));
}

function smsc(port, certificate, key) {
  const tls = certificate ? { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) } : {};
  const server = smpp.createServer(tls, serve);
  server.on('error', (error) => tell('error', { words: String(error) }));
  server.on('tlsClientError', (error) => tell('error', { words: String(error) }));
  server.listen(Number(port), '127.0.0.1', () => tell('listening'));
  return {
    ...common,
    refuse: (status, times) => {
      [refusal, refusals] = [Number(status), Number(times)];
    },
    send: (...words) => session.deliver_sm(message(...words)),
    payload: (...words) => session.deliver_sm(payload(...words)),
  };
}

// --- a client ----------------------------------------------------------------------------

function esme() {
  return {
    ...common,
    bind: (port, kind, system_id, password, authority) => {
      const tls = authority ? { tls: true, ca: fs.readFileSync(authority) } : {};
      session = smpp.connect({ host: '127.0.0.1', port: Number(port), ...tls }, () =>
        session[kind]({ system_id, password }, (pdu) => tell('bind_resp', { status: pdu.command_status })),
      );
      attend(session);
      session.on('deliver_sm', (pdu) => {
        tell('deliver_sm', told(pdu));
        session.send(pdu.response());
      });
    },
    send: (...words) => submit(message(...words)),
    payload: (...words) => submit(payload(...words)),
  };
}

function submit(fields) {
  session.submit_sm({ ...fields, registered_delivery: 1 }, (pdu) =>
    tell('submit_sm_resp', { status: pdu.command_status, message_id: pdu.message_id || '' }),
  );
}

const [role, ...more] = process.argv.slice(2);
const acts = { smsc, esme }[role](...more);
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [act, ...words] = line.split('\t');
  acts[act](...words);
});
lines.on('close', () => process.exit(0));
