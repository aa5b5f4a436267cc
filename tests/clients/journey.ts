// One person's way through Soosh with a client typed by openapi-typescript: register, verify, interview, book, pay, cancel, download.
// Run with the address of the server and the folder of its mails; schema.d.ts is generated from openapi.yaml.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.d.ts";

type Booking = components["schemas"]["BookingDetail"];
type Intent = components["schemas"]["Intent"];
type Api = ReturnType<typeof createClient<paths>>;
type Answer<T> = { data?: T; error?: unknown; response: Response };

const MINUTES = 30;
const PASSWORD = "a long pass phrase 7";
const CARD = "4242424242424242";
const DAY = 86_400_000;

function expect<T>(answer: Answer<T>): T {
  assert.ok(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

async function until<T>(ask: () => Promise<T>, isEnough: (found: T) => boolean): Promise<T> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const found = await ask();
    if (isEnough(found)) return found;
    assert.ok(Date.now() < deadline, JSON.stringify(found));
    await sleep(500);
  }
}

async function mailedKey(folder: string, address: string): Promise<string> {
  for (const name of (await readdir(folder)).sort().reverse()) {
    const text = (await readFile(join(folder, name), "utf8")).replace(/=\r?\n/g, "");
    const found = /\/verify-email\/([\w:~.-]+)/.exec(text);
    if (found?.[1] && text.includes(address)) return found[1];
  }
  return "";
}

async function signUp(address: string, mails: string): Promise<Api> {
  const stranger = createClient<paths>({ baseUrl: address });
  const email = `${randomUUID().slice(0, 12)}@journey.example.org`;
  const registered = expect(
    await stranger.POST("/api/v1/auth/register", { body: { email, password: PASSWORD, full_name: "Ada Journey" } }),
  );
  assert.equal(registered.user.email, email);
  const key = await until(() => mailedKey(mails, email), Boolean);
  const verified = expect(await stranger.POST("/api/v1/auth/verify-email", { body: { key } }));
  assert.ok(verified.is_email_verified);
  const tokens = expect(await stranger.POST("/api/v1/auth/login", { body: { email, password: PASSWORD } }));
  return createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${tokens.access_token}` } });
}

async function interview(api: Api): Promise<void> {
  const started = expect(await api.POST("/api/v1/ai-profiling/start", { body: { mode: "text", language: "en" } }));
  let question: string | null = started.first_question;
  let step = started.step;
  for (let count = 0; question !== null && count < 30; count += 1) {
    const answer_text = count === 0 ? "I build small web sites with Python and JavaScript, and I explain things patiently." : "skip";
    const body = { session_id: started.session_id, step, answer_text };
    const answered = expect(await api.POST("/api/v1/ai-profiling/submit-answer", { body }));
    question = answered.next_question;
    step = answered.step;
  }
  const done = expect(await api.POST("/api/v1/ai-profiling/complete", { body: { session_id: started.session_id } }));
  assert.ok(done.profile.claims.length > 0);
}

async function book(api: Api): Promise<Booking> {
  const { results } = expect(await api.GET("/api/v1/mentors", { params: { query: { page_size: 50 } } }));
  for (const mentor of results) {
    const prices = mentor.offers.filter((offer) => offer.duration_minutes === MINUTES).map((offer) => offer.price.amount);
    if (prices.length === 0 || Math.min(...prices) === 0) continue;
    const from = new Date(Date.now() + 5 * DAY).toISOString();
    const to = new Date(Date.now() + 25 * DAY).toISOString();
    const { slots } = expect(
      await api.GET("/api/v1/mentors/{mentor_id}/slots", {
        params: { path: { mentor_id: mentor.id }, query: { from, to, duration_minutes: MINUTES } },
      }),
    );
    const slot = slots.at(-1);
    if (slot === undefined) continue;
    const body = { mentor_id: mentor.id, scheduled_at: slot.start, duration_minutes: MINUTES, topic: "My first job" };
    return expect(await api.POST("/api/v1/bookings", { body }));
  }
  throw new Error("no mentor takes paid sessions");
}

async function pay(api: Api, booking: Booking): Promise<Intent> {
  const intent = expect(await api.POST("/api/v1/payments/create-intent", { body: { booking_id: booking.id } }));
  const paid = await fetch(intent.pay_page, { method: "POST", body: new URLSearchParams({ card: CARD }) });
  assert.ok(paid.ok);
  const params = { path: { booking_id: booking.id } };
  await until(
    async () => expect(await api.GET("/api/v1/bookings/{booking_id}", { params })),
    (found) => found.state !== "held",
  );
  return intent;
}

async function cancel(api: Api, booking: Booking): Promise<void> {
  const params = { path: { booking_id: booking.id } };
  const quote = expect(await api.GET("/api/v1/bookings/{booking_id}/cancellation-quote", { params }));
  const body = { expected_refund: quote.refund };
  const cancelled = expect(await api.POST("/api/v1/bookings/{booking_id}/cancel", { params, body }));
  assert.equal(cancelled.refund?.amount, quote.refund.amount);
}

async function download(api: Api, booking: Booking, intent: Intent): Promise<void> {
  const history = expect(
    await api.GET("/api/v1/payments/history.csv", { parseAs: "text", headers: { Accept: "text/csv" } }),
  );
  assert.ok(history.includes(intent.payment_id));
  const calendar = expect(
    await api.GET("/api/v1/bookings/{booking_id}/calendar.ics", {
      params: { path: { booking_id: booking.id } },
      parseAs: "text",
      headers: { Accept: "text/calendar" },
    }),
  );
  assert.ok(calendar.startsWith("BEGIN:VCALENDAR"));
  const receipt = await api.GET("/api/v1/payments/{payment_id}/receipt.pdf", {
    params: { path: { payment_id: intent.payment_id } },
    parseAs: "arrayBuffer",
    headers: { Accept: "application/pdf" },
  });
  if (receipt.error === undefined) assert.equal(beginning(receipt.data, 4), "%PDF");
  const archive = await until(
    () => api.GET("/api/v1/users/me/export", { parseAs: "arrayBuffer", headers: { Accept: "application/zip" } }),
    (found) => found.response.status === 200,
  );
  assert.equal(beginning(archive.data, 2), "PK");
}

function beginning(content: unknown, length: number): string {
  assert.ok(content instanceof ArrayBuffer);
  return Buffer.from(content).subarray(0, length).toString("latin1");
}

const [address, mails] = process.argv.slice(2);
assert.ok(address && mails, "say the address of the server and the folder of its mails");
const api = await signUp(address, mails);
await interview(api);
const booking = await book(api);
const intent = await pay(api, booking);
await cancel(api, booking);
await download(api, booking, intent);
console.log("the whole journey");
