"""Exam plans, enrolment, rooms, seats (考务)."""
