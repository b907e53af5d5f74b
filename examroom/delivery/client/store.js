// What this computer keeps until the server has it: events in IndexedDB, or in localStorage where that is missing.
// Only shown numbers and shown letters are kept; without the sheet they say nothing.

const DATABASE = "examroom";
const MACHINE = "examroom-machine";

export async function openStore() {
  try {
    return new IndexedStore(await openDatabase());
  } catch {
    return new LocalStore(localStorage); // private windows and old browsers
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
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

function randomMark() {
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

  range(sheet, upTo = Infinity) {
    return IDBKeyRange.bound([sheet, -Infinity], [sheet, upTo]);
  }

  async machine() {
    const held = await this.run("marks", "readonly", (marks) => marks.get(MACHINE));
    if (held) return held;
    const mark = randomMark();
    await this.run("marks", "readwrite", (marks) => marks.put(mark, MACHINE));
    return mark;
  }

  put(sheet, event) {
    return this.run("events", "readwrite", (events) => events.put({ sheet, ...event }));
  }

  async unsent(sheet) {
    const rows = await this.run("events", "readonly", (events) => events.getAll(this.range(sheet)));
    return rows.map(({ sheet: _, ...event }) => event); // in key order: by sequence
  }

  drop(sheet, sequences) {
    return this.run("events", "readwrite", (events) => {
      sequences.forEach((sequence) => events.delete([sheet, sequence]));
    });
  }

  clear(sheet) {
    return this.run("events", "readwrite", (events) => events.delete(this.range(sheet)));
  }
}

export class LocalStore {
  constructor(storage) {
    this.storage = storage;
  }

  key(sheet) {
    return `examroom:${sheet}`;
  }

  read(sheet) {
    return JSON.parse(this.storage.getItem(this.key(sheet)) || "[]");
  }

  write(sheet, events) {
    this.storage.setItem(this.key(sheet), JSON.stringify(events));
  }

  async machine() {
    const mark = this.storage.getItem(MACHINE) || randomMark();
    this.storage.setItem(MACHINE, mark);
    return mark;
  }

  async put(sheet, event) {
    const others = this.read(sheet).filter((held) => held.sequence !== event.sequence);
    this.write(sheet, [...others, event].sort((a, b) => a.sequence - b.sequence));
  }

  async unsent(sheet) {
    return this.read(sheet);
  }

  async drop(sheet, sequences) {
    this.write(sheet, this.read(sheet).filter((held) => !sequences.includes(held.sequence)));
  }

  async clear(sheet) {
    this.storage.removeItem(this.key(sheet));
  }
}
