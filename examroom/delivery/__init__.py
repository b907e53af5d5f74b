"""What a candidate can reach (考试): sheets, the exam page, and the protocol between them.

The protocol
------------
**The page holds the sheet and never navigates.** After the sign-in the waiting page (``/exam/hall``) follows the
server; when the time has come and the room is open it goes to ``/exam/sheets/<id>``, an empty shell. The shell asks:

``POST /exam/sheets/<id>/open`` ``{machine}``
    starts the sheet (once) and answers ``{token, page}``. ``machine`` is a random mark that a browser keeps for
    itself: the same computer takes its sheet over at once (a crashed browser), another computer gets
    ``page = "waiting"`` until an invigilator admits it; then the page before it is ended and becomes read-only. Every
    further request carries the token in the header ``X-Page-Token``; only the live page may write.
``GET .../state``
    everything the page shows: questions in this candidate's order with *shown* letters, answers and flags held by the
    server, ``acknowledged``, ``remaining_seconds``. Never cached. It carries no key, no explanation, no score and no
    canonical letter: what two neighbours could compare means different things on their screens. Texts are HTML made of
    the bank's markup by ``qbank.items.markup``, with the pictures inside (``data:``), so that nothing is fetched later.
``POST .../events`` ``{events: [{sequence, number, answer, flagged}, ...]}``
    each change is one event. ``sequence`` counts per sheet from 1 and goes on where the server's ``acknowledged``
    stands; ``number`` and ``answer`` are what the candidate saw. The shuffle is undone here, at the first touch:
    stored are paper numbers and canonical letters. The answer comes after the commit: ``{acknowledged,
    remaining_seconds, state, refused: [{sequence, code, sentence}], message}``. Sending an event twice changes
    nothing. An event is refused when its question already holds a newer one (``older``), when its sequence is taken by
    a different event (``taken``), when number or letters are not on the sheet (``unknown``), or when it arrives after
    the end and the grace (``over``). An empty list is a sign of life.
``GET .../pulse``
    the time and the state, cheap and without writing; the page asks every four seconds, so a time grant shows within
    five. It also carries a fresh CSRF token for a page whose sign-in was renewed in another tab.
``POST .../hand-in``
    hands in. At or after the candidate's own end it counts as the deadline's.

**The browser** keeps every event in IndexedDB (localStorage where that is missing) under the sheet's id until the
server acknowledged it, sends at once, one request at a time and in order, and tries again after 0.5, 1, 2, 4, then
every 5 seconds. After a reload the state comes from the server first; local events with a higher sequence than
``acknowledged`` are sent then, lower ones are dropped and said to be: nothing is merged silently. What is kept locally
are shown numbers and shown letters, which mean nothing without the sheet; it is cleared after the receipt.

**Time** belongs to the server: the page counts ``remaining_seconds`` down on a monotonic clock and corrects itself at
every answer. At zero the page stops taking input, sends what it has and hands in; when it cannot, the server hands in
with what it holds at the end and the grace: at any request, or in the sweep (``marking.desk.close_due``).
"""
