// What this computer keeps: events until the server has them and a quarter of an hour longer, marks of its own (which
// options are struck out, the rough paper). In IndexedDB, or in localStorage where that is missing.
// Only shown numbers and shown letters are kept; without the sheet they say nothing. All of it goes with the receipt.

const DATABASE = "examroom";
const MACHINE = "examroom-machine";
const PATIENCE = 3_000;

export async function openStore() {
  try {
    return new IndexedStore(await openDatabase());
  } catch {
    return new LocalStore(storage()); // private windows and old browsers
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("slow")), PATIENCE);
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("events", { keyPath: ["sheet", "sequence"] });
      request.result.createObjectStore("marks");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

// A browser that forbids even localStorage: the page works, a reload begins with what the server holds.
function storage() {
  try {
    localStorage.setItem("examroom-probe", "1");
    localStorage.removeItem("examroom-probe");
    return localStorage;
  } catch {
    const held = new Map();
    return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value), removeItem: (key) => held.delete(key) };
  }
}

export function randomMark() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class IndexedStore {
  constructor(database) {
    this.database = database;
  }

  run(name, mode, act) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(name, mode, { durability: "strict" });
      const request = act(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request && request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  range(sheet) {
    return IDBKeyRange.bound([sheet, -Infinity], [sheet, Infinity]);
  }

  async machine() {
    const held = await this.mark(MACHINE);
    if (held) return held;
    const made = randomMark();
    await this.setMark(MACHINE, made);
    return made;
  }

  mark(key) {
    return this.run("marks", "readonly", (marks) => marks.get(key));
  }

  setMark(key, value) {
    return this.run("marks", "readwrite", (marks) => marks.put(value, key));
  }

  put(sheet, event) {
    return this.run("events", "readwrite", (events) => events.put({ sheet, ...event }));
  }

  // Everything kept, in order; an event that the server acknowledged is `saved`.
  async all(sheet) {
    const rows = await this.run("events", "readonly", (events) => events.getAll(this.range(sheet)));
    return rows.map(({ sheet: _, ...event }) => event);
  }

  settle(sheet, settled) {
    return this.run("events", "readwrite", (events) => {
      settled.forEach((event) => events.put({ sheet, ...event, saved: true }));
    });
  }

  drop(sheet, sequences) {
    return this.run("events", "readwrite", (events) => {
      sequences.forEach((sequence) => events.delete([sheet, sequence]));
    });
  }

  async clear(sheet) {
    await this.run("events", "readwrite", (events) => events.delete(this.range(sheet)));
    await this.run("marks", "readwrite", (marks) => marks.delete(IDBKeyRange.bound(`${sheet}:`, `${sheet}:\uffff`)));
  }
}

export class LocalStore {
  constructor(place) {
    this.place = place;
  }

  key(sheet) {
    return `examroom:${sheet}`;
  }

  read(key) {
    return JSON.parse(this.place.getItem(key) || "null");
  }

  async machine() {
    const held = this.place.getItem(MACHINE) || randomMark();
    this.place.setItem(MACHINE, held);
    return held;
  }

  async mark(key) {
    return this.read(`examroom-mark:${key}`) ?? undefined;
  }

  async setMark(key, value) {
    this.place.setItem(`examroom-mark:${key}`, JSON.stringify(value));
  }

  async put(sheet, event) {
    const others = (await this.all(sheet)).filter((held) => held.sequence !== event.sequence);
    this.place.setItem(this.key(sheet), JSON.stringify([...others, event].sort((a, b) => a.sequence - b.sequence)));
  }

  async all(sheet) {
    return this.read(this.key(sheet)) || [];
  }

  async settle(sheet, settled) {
    for (const event of settled) await this.put(sheet, { ...event, saved: true });
  }

  async drop(sheet, sequences) {
    const left = (await this.all(sheet)).filter((held) => !sequences.includes(held.sequence));
    this.place.setItem(this.key(sheet), JSON.stringify(left));
  }

  async clear(sheet) {
    this.place.removeItem(this.key(sheet));
    for (const name of ["struck", "scratch", "read"]) this.place.removeItem(`examroom-mark:${sheet}:${name}`);
  }
}
