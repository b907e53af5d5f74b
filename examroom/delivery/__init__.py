"""What a candidate can reach (考试): sheets, the exam page, and the protocol between them.

The protocol
------------
**The page holds the sheet and never navigates.** After the sign-in the waiting page (``/exam/hall``) follows the
server; when the time has come and the room is open it goes to ``/exam/sheets/<id>``, an empty shell. The shell asks:

``POST /exam/sheets/<id>/open`` ``{machine}``
    starts the sheet (once) and answers ``{token, page, generation}``, and to who starts this moment all of ``state`` with it:
    a cohort that starts together asks once each. ``machine`` is a random mark that a browser keeps for
    itself: the same computer takes its sheet over at once (a crashed browser), another computer gets
    ``page = "waiting"`` until an invigilator admits it; then the page before it is ended and becomes read-only. This door
    goes by the sign-in and asks for a CSRF token; a 400 ``csrf`` and every 401 bring a fresh one.
    Every further request carries the token in the header ``X-Page-Token``, and nothing else: a sign-in that timed out does
    not end an exam. The token is signed (sheet, generation of the page, account and its generation), so that knowing who
    asks needs no query. Whether the page is still the live one and the account still as it was is checked inside the
    transaction that writes: a takeover, signing out, a new password, a disabled account take hold with the next save.
``GET .../state``
    everything the page shows: questions in this candidate's order with *shown* letters, answers and flags held by the
    server. Never cached. It carries no key, no explanation, no score and no canonical letter: what two neighbours could
    compare means different things on their screens. Texts are HTML made of the bank's markup by ``qbank.items.markup``;
    all of it was rendered, compressed and checked when the sheet was dealt. Pictures stand apart under
    ``/exam/media/<sha256>``, for candidates who have started a sitting that shows them, and are kept by the browser.
``POST .../events`` ``{events: [{sequence, number, answer, flagged}, ...], signs: {left, clock, unsent, full_screen, read}, after}``
    each change is one event. ``sequence`` counts per sheet from 1 (gaps are allowed) and goes on where the server's
    ``acknowledged`` stands; ``number`` and ``answer`` are what the candidate saw: letters, or the text where the question is
    answered in words (a line per blank). The shuffle is undone here, at the first touch: stored are paper numbers and
    canonical letters. The answer comes after the commit: the standing and ``refused: [{sequence, code, sentence}]``. Sending
    an event twice changes nothing. An event is refused when its question already holds a newer one (``older``), when its
    sequence is taken by a different event (``taken``), when number or letters are not on the sheet (``unknown``), or when it
    arrives after the end and the grace (``over``). An empty list is a sign of life. ``after`` is what the page was last told
    as ``acknowledged``: a copy of the database that holds less answers 409 ``behind`` before anything is written, and the
    page first sends what it kept.
``GET .../pulse``
    the standing, cheap and without writing; the page asks every four seconds, so a time grant shows within five.
``POST .../hand-in`` ``{because: "candidate" | "time", after}``
    hands in. At or after the candidate's own end it counts as the deadline's.

**Every answer carries the standing**: ``acknowledged`` (the highest sequence held), ``state``, ``phase``,
``remaining_seconds``, ``granted_seconds``, ``hand_in_in_seconds``, ``paused``, ``message``, ``notices: [{id, at, text}]``,
``page`` (``live``, ``waiting``, ``ended``, ``unknown``), after the hand-in ``receipt``. Codes: 409 ``superseded``,
``waiting``, ``unknown_page`` (this database never knew the page: open again), ``behind``; 401 ``bad_token``, ``signed_out``;
503 ``busy`` and ``not_written``: nothing was written, try again.

**The server** combines writes: handlers put what they have checked into a queue, one thread drains it, checks and writes
everything in one transaction (``BEGIN IMMEDIATE``, ``synchronous=FULL``; on PostgreSQL the sheets' rows are locked),
commits, and only then releases everybody who waits (``qbank.kernel.writer``, ``examroom.delivery.writes``). A task that
breaks a constraint fails alone; a commit that fails is an error to all who waited for it. Each event carries a SHA-256 over
itself and the one before (``examroom.delivery.chain``); the head stands in the sheet, in the trail of the hand-in and in
the archive.

**The browser** keeps every event in IndexedDB (localStorage where that is missing) under the sheet's id until the
server acknowledged it, sends at once, one request at a time and in order, and tries again after 0.5, 1, 2, 4, then
every 5 seconds. After a reload the state comes from the server first; local events with a higher sequence than
``acknowledged`` are sent then, lower ones are dropped and said to be: nothing is merged silently. What is kept locally
are shown numbers and shown letters, which mean nothing without the sheet; it is cleared after the receipt.

**Time** belongs to the server: the page counts ``remaining_seconds`` down on a monotonic clock and corrects itself at
every answer. At zero the page stops taking input, sends what it has and hands in; when it cannot, the server hands in
with what it holds at the end and the grace: at any request, or in the sweep (``marking.desk.close_due``).
"""
