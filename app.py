"""The composition root: ``create_app()`` as a table of contents, the table of doors, the navigation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app, url_for
from flask_bootstrap import Bootstrap5
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from sqlalchemy.orm import Session

import examroom.delivery.commands
import examroom.delivery.todo
import examroom.delivery.views
import examroom.filing.commands
import examroom.filing.todo
import examroom.filing.views
import examroom.invigilation.commands
import examroom.invigilation.todo
import examroom.invigilation.views
import examroom.marking.commands
import examroom.marking.todo
import examroom.marking.views
import examroom.oversight.commands
import examroom.oversight.todo
import examroom.oversight.views
import examroom.plans.candidate_todo
import examroom.plans.commands
import examroom.plans.entry
import examroom.plans.todo
import examroom.plans.views
import qbank.exchange.commands
import qbank.exchange.todo
import qbank.exchange.views
import qbank.items.commands
import qbank.items.todo
import qbank.items.views
import qbank.kernel.audit_commands
import qbank.kernel.doctor_views
import qbank.kernel.factor_resets
import qbank.kernel.factor_views
import qbank.kernel.health
import qbank.kernel.host_key_commands
import qbank.kernel.identity_commands
import qbank.kernel.jobs
import qbank.kernel.media_commands
import qbank.kernel.rounds
import qbank.kernel.setup_views
import qbank.kernel.sign_in_views
import qbank.kernel.standby_commands
import qbank.kernel.views
import qbank.papers.commands
import qbank.papers.todo
import qbank.papers.views
import qbank.standards.commands
import qbank.standards.tables
import qbank.standards.views
import qbank.statistics.commands
import qbank.statistics.views
import scoring.api.commands
import scoring.api.todo
import scoring.api.views
import scoring.archive.commands
import scoring.archive.todo
import scoring.archive.views
import scoring.certificates.commands
import scoring.certificates.copy_views
import scoring.certificates.report_views
import scoring.certificates.stock_views
import scoring.certificates.todo
import scoring.certificates.twin_views
import scoring.certificates.views
import scoring.practical.bank_todo
import scoring.practical.commands
import scoring.practical.todo
import scoring.practical.views
import scoring.reports.commands
import scoring.reports.views
import scoring.results.commands
import scoring.results.todo
import scoring.results.views
import scoring.review.commands
import scoring.review.todo
import scoring.review.views
import scoring.worklist.views
from examroom.delivery.lane import Lane
from qbank.kernel import operations, web
from qbank.kernel.access import STAFF, Role, Viewer, check_doors, may_pass
from qbank.kernel.assets import digest_of
from qbank.kernel.console import console, run
from qbank.kernel.db import Database
from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock, SteadyClock, spoken, to_form
from qbank.kernel.todo import Todo
from qbank.standards.models import LEVEL_NAMES
from seed.commands import demo_command

ROOMS = (qbank.kernel, qbank.standards, qbank.items, qbank.exchange, qbank.statistics, qbank.papers,
         examroom.filing, examroom.plans, examroom.delivery, examroom.invigilation, examroom.marking,
         examroom.oversight, scoring.practical, scoring.review, scoring.results,
         scoring.reports, scoring.certificates, scoring.archive, scoring.worklist, scoring.api)

STATIC = Path(__file__).parent / "templates" / "static"
ANYONE = {Role.ANYONE}
SIGNED_IN = {Role.SIGNED_IN}
ADMIN = {Role.ADMINISTRATOR}
AUTHOR = {Role.ITEM_AUTHOR}
BANK = {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.PAPER_COMPOSER}
OFFICER = {Role.EXAM_OFFICER}
PRACTICAL_BANK = {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.EXAM_OFFICER}
MARKER = {Role.MARKER}
COMPOSER = {Role.PAPER_COMPOSER}
TABLE_EDITORS = qbank.standards.tables.EDITORS
CONDITION_EDITORS = examroom.plans.entry.EDITORS
PACK_SETTERS = {Role.ADMINISTRATOR, Role.PROVINCE_OFFICER}
SERVING = {Role.INVIGILATOR, Role.PRACTICAL_ASSESSOR, Role.REVIEW_EXAMINER}
LISTS = {Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER}
CENTRES = {Role.CITY_OFFICER, Role.PROVINCE_OFFICER}
TOKEN_KEEPERS = {Role.ADMINISTRATOR, Role.CITY_OFFICER, Role.PROVINCE_OFFICER}
RESETTERS = {Role.ADMINISTRATOR, *qbank.kernel.factor_resets.SECOND}
OFFICES = {Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR}

# Every door and who may pass. The app does not start when a route is missing here or a line leads nowhere.
ACCESS: dict[str, AbstractSet[Role]] = {
    "static": ANYONE,
    "bootstrap.static": ANYONE,
    "home": SIGNED_IN,
    # qbank.kernel
    "accounts.sign_in": ANYONE,
    "setup.enter": ANYONE,  # these three are pages only until there is an administrator
    "setup.institution": ANYONE,
    "setup.administrator": ANYONE,
    "setup.done": ADMIN,
    "doctor.show": ADMIN,
    "doctor.look": ADMIN,
    "doctor.mail_settings": ADMIN,
    "doctor.test_mail": ADMIN,
    "doctor.forget_mail": ADMIN,
    "accounts.sign_out": SIGNED_IN,
    "accounts.trust": ANYONE,
    "accounts.authority": ANYONE,
    "accounts.password": STAFF,
    "accounts.factor_check": ANYONE,
    "accounts.factor": STAFF,
    "accounts.factor_new": STAFF,
    "accounts.factor_codes": STAFF,
    "accounts.factor_off": STAFF,
    "accounts.ask_factor_reset": ADMIN,
    "accounts.factor_resets": RESETTERS,
    "accounts.decide_factor_reset": RESETTERS,
    "accounts.own_sign_ins": STAFF,
    "accounts.shut": ADMIN,
    "accounts.reopen": ADMIN,
    "accounts.end_sign_ins": ADMIN,
    "accounts.index": ADMIN,
    "accounts.new": ADMIN,
    "accounts.show": ADMIN,
    "accounts.grant": ADMIN,
    "accounts.withdraw": ADMIN,
    "accounts.reset": ADMIN,
    "accounts.institutions": ADMIN,
    "accounts.new_institution": ADMIN,
    "accounts.institution": ADMIN,
    "accounts.trail": ADMIN,
    "accounts.job": SIGNED_IN,
    "operations.health": ANYONE,
    "operations.live": ANYONE,
    "accounts.job_progress": SIGNED_IN,
    # qbank.standards
    "standards.index": STAFF,
    "standards.occupation": STAFF,
    "standards.new_occupation": TABLE_EDITORS,
    "standards.edit_occupation": TABLE_EDITORS,
    "standards.new_standard": TABLE_EDITORS,
    "standards.edit_standard": TABLE_EDITORS,
    "standards.table": STAFF,
    "standards.print_table": STAFF,
    "standards.table_workbook": STAFF,
    "standards.compare": STAFF,
    "standards.compare_workbook": STAFF,
    "standards.new_table": TABLE_EDITORS,
    "standards.edit_table": TABLE_EDITORS,
    "standards.remove": TABLE_EDITORS,
    "standards.points": TABLE_EDITORS,
    "standards.skills": TABLE_EDITORS,
    "standards.template": TABLE_EDITORS,
    "standards.upload": TABLE_EDITORS,
    "standards.write": TABLE_EDITORS,
    "standards.packs": PACK_SETTERS,
    "standards.new_pack": PACK_SETTERS,
    "standards.pack": PACK_SETTERS,
    "standards.pack_history": OFFICES | ADMIN,
    "standards.pack_version": OFFICES | ADMIN,
    # qbank.items
    "items.index": BANK,
    "items.export": BANK,
    "items.show": BANK,
    "items.picture": BANK,
    "items.upload_picture": AUTHOR,
    "items.preview": AUTHOR,
    "items.try_answer": AUTHOR,
    "items.difference": BANK,
    "items.restore": AUTHOR,
    "items.material": AUTHOR,
    "items.new": AUTHOR,
    "items.edit": AUTHOR,
    "items.submit": AUTHOR,
    "items.bulk": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.do_bulk": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.bulk_run": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.undo_bulk": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.pairs": BANK,
    "items.search_pairs": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.pair": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.unmark": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.retire": AUTHOR,
    "items.suspend": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.resume": {Role.ITEM_REVIEWER},
    "items.release": AUTHOR,
    "items.life": BANK,
    "items.desk": {Role.ITEM_AUTHOR, Role.ITEM_REVIEWER},
    "items.reply": AUTHOR,
    "items.review": {Role.ITEM_REVIEWER},
    "items.answer": {Role.ITEM_REVIEWER},
    "items.judge": {Role.ITEM_REVIEWER},
    "items.undo": {Role.ITEM_REVIEWER},
    "items.tasks": {Role.ITEM_REVIEWER},
    "items.drop_task": {Role.ITEM_REVIEWER},
    "items.estimates": BANK,
    # qbank.exchange
    "exchange.index": AUTHOR,
    "exchange.upload": AUTHOR,
    "exchange.template": AUTHOR,
    "exchange.show": AUTHOR,
    "exchange.apply": AUTHOR,
    "exchange.discard": AUTHOR,
    "exchange.revert": AUTHOR,
    "exchange.errors": AUTHOR,
    "exchange.preview": AUTHOR,
    "exchange.columns": AUTHOR,
    "exchange.row": AUTHOR,
    "exchange.mend": AUTHOR,
    "exchange.bulk": AUTHOR,
    "exchange.match": AUTHOR,
    "exchange.export": BANK,
    "exchange.exported": BANK,
    "exchange.download": BANK,
    "exchange.losses": BANK,
    # qbank.statistics
    "statistics.index": BANK,
    "statistics.export": BANK,
    "statistics.show": BANK,
    "statistics.plot": BANK,
    "statistics.bank": BANK,
    "statistics.bank_plot": BANK,
    "statistics.runs": BANK,
    "statistics.run": BANK,
    "statistics.recompute": COMPOSER,
    "statistics.forms": BANK,
    "statistics.form": BANK,
    "statistics.form_plot": BANK,
    "statistics.form_workbook": BANK,
    "statistics.form_pdf": BANK,
    # qbank.papers
    "papers.specifications": COMPOSER,
    "papers.new_specification": COMPOSER,
    "papers.specification": COMPOSER,
    "papers.edit_specification": COMPOSER,
    "papers.copy_specification": COMPOSER,
    "papers.difference": COMPOSER,
    "papers.rules": COMPOSER,
    "papers.check_rules": COMPOSER,
    "papers.pinned": COMPOSER,
    "papers.pin": COMPOSER,
    "papers.assemble": COMPOSER,
    "papers.families": COMPOSER,
    "papers.family": COMPOSER,
    "papers.keep_nearest": COMPOSER,
    "papers.seal_family": COMPOSER,
    "papers.writing_task": COMPOSER,
    "papers.by_hand": COMPOSER,
    "papers.offers": COMPOSER,
    "papers.swap": COMPOSER,
    "papers.undo_swap": COMPOSER,
    "papers.lock": COMPOSER,
    "papers.compare": COMPOSER,
    "papers.index": COMPOSER,
    "papers.show": COMPOSER,
    "papers.seal": COMPOSER,
    "papers.discard": COMPOSER,
    "papers.health": BANK,
    "papers.health_book": BANK,
    "papers.compliance": COMPOSER,
    "papers.compliance_workbook": COMPOSER,
    "papers.compliance_pdf": COMPOSER,
    "papers.paper_plot": COMPOSER,
    "papers.family_workbook": COMPOSER,
    "papers.family_pdf": COMPOSER,
    "papers.family_plot": COMPOSER,
    "papers.reproduce": COMPOSER,
    "papers.openings": COMPOSER | OFFICER,
    "papers.open_page": COMPOSER | OFFICER,
    "papers.ask_opening": COMPOSER | OFFICER,
    "papers.confirm_opening": COMPOSER | OFFICER,
    "papers.withdraw_opening": COMPOSER | OFFICER,
    "papers.looks_page": COMPOSER | OFFICER | {Role.QUALITY_SUPERVISOR},
    "papers.content": COMPOSER | OFFICER,
    "papers.prints": COMPOSER | OFFICER,
    "papers.order_print": COMPOSER | OFFICER,
    "papers.take_print": COMPOSER | OFFICER,
    # examroom.filing
    "filing.directory": ANYONE,
    "filing.index": OFFICES | ADMIN,
    "filing.changes": ANYONE,
    "filing.scope": OFFICES | ADMIN,
    "filing.end": {Role.PROVINCE_OFFICER},
    "filing.applications": LISTS,
    "filing.new_application": OFFICER,
    "filing.application": LISTS,
    "filing.unit": LISTS,
    "filing.occupations": LISTS,
    "filing.rows": LISTS,
    "filing.rows_template": LISTS,
    "filing.upload_rows": OFFICER,
    "filing.plan": LISTS,
    "filing.materials": LISTS,
    "filing.material": LISTS,
    "filing.drop_material": OFFICER,
    "filing.form_pdf": LISTS,
    "filing.form_docx": LISTS,
    "filing.full_form": OFFICER,
    "filing.submit": OFFICER,
    "filing.withdraw": OFFICER,
    "filing.assess": {Role.CITY_OFFICER},
    "filing.assessment_file": LISTS,
    "filing.decide": {Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "filing.send_back": {Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "filing.evaluations": LISTS,
    "filing.evaluations_workbook": LISTS,
    "filing.new_evaluation": {Role.CITY_OFFICER},
    "filing.evaluation": LISTS,
    "filing.edit_evaluation": {Role.CITY_OFFICER},
    "filing.report_evaluation": {Role.CITY_OFFICER},
    "filing.decide_evaluation": {Role.PROVINCE_OFFICER},
    "filing.evaluation_pdf": LISTS,
    "filing.evaluation_file": LISTS,
    "filing.removals": LISTS,
    "filing.propose_removal": LISTS,
    "filing.decide_removal": {Role.PROVINCE_OFFICER},
    "filing.removal_file": LISTS,
    "filing.ministry": {Role.PROVINCE_OFFICER},
    "filing.ministry_workbook": {Role.PROVINCE_OFFICER},
    "filing.ministry_reported": {Role.PROVINCE_OFFICER},
    "filing.report_ministry": {Role.PROVINCE_OFFICER},
    # examroom.plans
    "plans.index": OFFICES,
    "plans.new": OFFICER,
    "plans.show": OFFICES,
    "plans.edit": OFFICER,
    "plans.submit": OFFICER,
    "plans.decide": {Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "plans.latest_day": OFFICER,
    "plans.arrangement_page": OFFICES,
    "plans.keep_site": OFFICER,
    "plans.lay_out": OFFICER,
    "plans.copy": OFFICER,
    "plans.document": OFFICES,
    "plans.start_amendment": OFFICER,
    "plans.amendment": OFFICES,
    "plans.amend_site": OFFICER,
    "plans.submit_amendment": OFFICER,
    "plans.decide_amendment": {Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "plans.discard_amendment": OFFICER,
    "plans.public_fees": ANYONE,
    "plans.fee_schedules": OFFICES,
    "plans.publish_fee": OFFICER,
    "plans.end_fee": OFFICER,
    "plans.fee_register": LISTS,
    "plans.fee_workbook": LISTS,
    "plans.charge": OFFICER,
    "plans.enter_fee": OFFICER,
    "plans.receipt": OFFICER,
    "plans.enter_cost": OFFICER,
    "plans.cancel_cost": OFFICER,
    "plans.fee_summary": LISTS,
    "plans.tie_list": OFFICER | SERVING,
    "plans.declare_kin": OFFICER | SERVING,
    "plans.withdraw_tie": OFFICER,
    "plans.working_days": {Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.ADMINISTRATOR},
    "plans.new_sitting": OFFICER,
    "plans.sitting": OFFICES,
    "plans.change_sitting": OFFICER,
    "plans.remove_sitting": OFFICER,
    "plans.choose_paper": OFFICER,
    "plans.use_room": OFFICER,
    "plans.drop_room": OFFICER,
    "plans.draw_seats": OFFICER,
    "plans.seats": OFFICES | {Role.INVIGILATOR},
    "plans.rooms": OFFICER,
    "plans.new_room": OFFICER,
    "plans.change_room": OFFICER,
    "plans.candidates": OFFICES,
    "plans.export_candidates": OFFICES,
    "plans.roster_template": OFFICER,
    "plans.enrol": OFFICER,
    "plans.remove_candidate": OFFICER,
    "plans.upload_roster": OFFICER,
    "plans.roster_preview": OFFICER,
    "plans.roster_errors": OFFICER,
    "plans.import_roster": OFFICER,
    "plans.discard_roster": OFFICER,
    "plans.tickets": OFFICER,
    "plans.print_tickets": OFFICER,
    "plans.ticket_file": OFFICER,
    "plans.ticket": OFFICER | {Role.CANDIDATE},
    "plans.reissue_code": OFFICER,
    "plans.conditions": OFFICES | ADMIN,
    "plans.conditions_of": OFFICES | ADMIN,
    "plans.conditions_workbook": OFFICES | ADMIN,
    "plans.upload_conditions": CONDITION_EDITORS,
    "plans.end_condition": CONDITION_EDITORS,
    "plans.qualifications": OFFICES,
    "plans.qualification_workbook": OFFICES,
    "plans.accept": OFFICER,
    "plans.attach": OFFICER,
    "plans.application": OFFICES,
    "plans.record_application": OFFICER,
    "plans.proof": OFFICES,
    "plans.withdraw_proof": OFFICER | {Role.CANDIDATE},
    "plans.own": {Role.CANDIDATE},
    "plans.own_condition": {Role.CANDIDATE},
    "plans.own_proof": {Role.CANDIDATE},
    "plans.own_proof_file": {Role.CANDIDATE},
    # examroom.delivery
    "delivery.static": ANYONE,
    "delivery.sign_in": ANYONE,
    "delivery.leave": SIGNED_IN,
    "delivery.seb_quit": ANYONE,
    "delivery.waiting_hall": {Role.CANDIDATE},
    "delivery.hall_state": {Role.CANDIDATE},
    "delivery.exam": {Role.CANDIDATE},
    "delivery.open_page": {Role.CANDIDATE},
    "delivery.state": {Role.CANDIDATE},
    "delivery.pulse": {Role.CANDIDATE},
    "delivery.events": {Role.CANDIDATE},
    "delivery.hand_in": {Role.CANDIDATE},
    "delivery.media": {Role.CANDIDATE},
    "delivery.practice": {Role.CANDIDATE},
    "delivery.practise": {Role.CANDIDATE},
    "delivery.practised": {Role.CANDIDATE},
    "delivery.index": OFFICER,
    "delivery.desk": OFFICER,
    "delivery.deal": OFFICER,
    "delivery.postpone": OFFICER,
    # examroom.invigilation
    "invigilation.index": OFFICES | {Role.INVIGILATOR},
    "invigilation.room": OFFICES | {Role.INVIGILATOR},
    "invigilation.board": OFFICES | {Role.INVIGILATOR},
    "invigilation.notes": OFFICES | {Role.INVIGILATOR},
    "invigilation.time_ledger": OFFICES | {Role.INVIGILATOR},
    "invigilation.photo": {Role.EXAM_OFFICER, Role.INVIGILATOR},
    "invigilation.incident_file": OFFICES | {Role.INVIGILATOR},
    "invigilation.show_record": OFFICES | {Role.INVIGILATOR},
    "invigilation.record_pdf": OFFICES | {Role.INVIGILATOR},
    "invigilation.open_room": {Role.INVIGILATOR},
    "invigilation.shut_room": {Role.INVIGILATOR},
    "invigilation.grant": {Role.INVIGILATOR},
    "invigilation.undo_time": {Role.INVIGILATOR},
    "invigilation.pause": {Role.INVIGILATOR},
    "invigilation.resume": {Role.INVIGILATOR},
    "invigilation.evacuate": {Role.INVIGILATOR},
    "invigilation.message": {Role.INVIGILATOR},
    "invigilation.withdraw_message": {Role.INVIGILATOR},
    "invigilation.settle": {Role.INVIGILATOR},
    "invigilation.let_in_late": {Role.INVIGILATOR},
    "invigilation.force": {Role.INVIGILATOR},
    "invigilation.undo_force": {Role.INVIGILATOR},
    "invigilation.check": {Role.INVIGILATOR},
    "invigilation.undo_check": {Role.INVIGILATOR},
    "invigilation.admit": {Role.INVIGILATOR},
    "invigilation.move": {Role.INVIGILATOR},
    "invigilation.incident": {Role.INVIGILATOR},
    "invigilation.withdraw_incident": {Role.INVIGILATOR},
    "invigilation.close": {Role.INVIGILATOR},
    "invigilation.candidates": OFFICER,
    "invigilation.enrolment_photo": OFFICER,
    "invigilation.keep_photo": OFFICER,
    "invigilation.keep_profile": OFFICER,
    "invigilation.keep_photos": OFFICER,
    "invigilation.readiness": OFFICER,
    "invigilation.rehearse": OFFICER,
    "invigilation.rehearsed": OFFICES | {Role.INVIGILATOR},
    "invigilation.readiness_sheet": OFFICES | {Role.INVIGILATOR},
    "invigilation.require_seb": OFFICER,
    "invigilation.seb_file": OFFICER,
    # examroom.marking
    "marking.index": OFFICES,
    "marking.sitting": OFFICES,
    "marking.sheet": OFFICER,
    "marking.finish": OFFICER,
    "marking.report": OFFICER | {Role.QUALITY_SUPERVISOR},
    "marking.report_plot": OFFICER | {Role.QUALITY_SUPERVISOR},
    "marking.report_workbook": OFFICER | {Role.QUALITY_SUPERVISOR},
    "marking.report_pdf": OFFICER | {Role.QUALITY_SUPERVISOR},
    "marking.recompute": OFFICER,
    "marking.records": LISTS | {Role.QUALITY_SUPERVISOR},
    "marking.acknowledge_records": LISTS,
    "marking.own_marking": MARKER,
    "marking.mark_question": MARKER,
    "marking.give_mark": MARKER,
    "marking.undo_mark": MARKER,
    "marking.question": MARKER,
    "marking.script": MARKER,
    "marking.rule_script": MARKER,
    "marking.return_mark": MARKER,
    "marking.sign_question": MARKER,
    "marking.pause_marker": MARKER,
    "marking.markers": OFFICER,
    "marking.appoint_marker": OFFICER,
    "marking.release_marker": OFFICER,
    "marking.distribute": OFFICER,
    "marking.item_cases": LISTS,
    "marking.item_case": LISTS,
    "marking.new_case": OFFICER,
    "marking.propose": OFFICER,
    "marking.approve_case": LISTS,
    "marking.remark_case": LISTS,
    "marking.withdraw_case": OFFICER,
    "marking.check_key": OFFICER,
    "marking.answer_file_list": OFFICER | {Role.INVIGILATOR},
    "marking.upload_answer_file": OFFICER | {Role.INVIGILATOR},
    "marking.answer_file": OFFICER | {Role.INVIGILATOR},
    "marking.decide_answer_file": OFFICER | {Role.INVIGILATOR},
    # examroom.oversight
    "oversight.index": OFFICES,
    "oversight.plan": {Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "oversight.withdraw": {Role.CITY_OFFICER},
    "oversight.show": OFFICES,
    "oversight.report": {Role.QUALITY_SUPERVISOR},
    "oversight.report_pdf": OFFICES,
    "oversight.supervision_list": {Role.QUALITY_SUPERVISOR},
    "oversight.draw_list": CENTRES,
    "oversight.new_draw": CENTRES,
    "oversight.hold_draw": CENTRES,
    "oversight.draw": CENTRES,
    "oversight.draw_record": CENTRES,
    "oversight.cancel_draw": CENTRES,
    "oversight.publish_draw": CENTRES,
    "oversight.recusal_list": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.declare_recusal": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.end_recusal": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.check_lists": OFFICES,
    "oversight.check_list": OFFICES,
    "oversight.adopt_list": CENTRES,
    "oversight.edit_list": CENTRES,
    "oversight.inspection_list": OFFICES,
    "oversight.new_inspection": CENTRES,
    "oversight.inspection": OFFICES,
    "oversight.begin_inspection": {Role.QUALITY_SUPERVISOR},
    "oversight.check": {Role.QUALITY_SUPERVISOR},
    "oversight.answer_points": {Role.QUALITY_SUPERVISOR},
    "oversight.add_pictures": {Role.QUALITY_SUPERVISOR},
    "oversight.submit_inspection": {Role.QUALITY_SUPERVISOR},
    "oversight.cancel_inspection": CENTRES,
    "oversight.inspection_pdf": OFFICES,
    "oversight.file": OFFICES,
    "oversight.new_finding": {Role.QUALITY_SUPERVISOR},
    "oversight.record_finding": {Role.QUALITY_SUPERVISOR},
    "oversight.finding": OFFICES,
    "oversight.reply_finding": OFFICER,
    "oversight.judge_finding": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.withdraw_finding": {Role.QUALITY_SUPERVISOR},
    "oversight.live_list": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.live_sitting": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.live_state": CENTRES | {Role.QUALITY_SUPERVISOR},
    "oversight.staff_case_list": LISTS,
    "oversight.new_staff_case": LISTS,
    "oversight.staff_case": STAFF,
    "oversight.tell_staff": LISTS,
    "oversight.staff_statement": STAFF,
    "oversight.decide_staff": CENTRES,
    "oversight.withdraw_staff": LISTS,
    "oversight.staff_file": STAFF,
    "oversight.public_results": ANYONE,
    "oversight.public_draw": ANYONE,
    "oversight.public_record": ANYONE,
    # scoring.practical
    "practical.index": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.rubrics": PRACTICAL_BANK,
    "practical.new_rubric": OFFICER,
    "practical.rubric": PRACTICAL_BANK,
    "practical.rubric_file": PRACTICAL_BANK,
    "practical.rubric_upload": OFFICER | AUTHOR,
    "practical.bank": PRACTICAL_BANK,
    "practical.structures": PRACTICAL_BANK,
    "practical.structure": PRACTICAL_BANK,
    "practical.structure_act": OFFICER | AUTHOR,
    "practical.new_task": AUTHOR,
    "practical.task": PRACTICAL_BANK,
    "practical.task_act": AUTHOR | {Role.ITEM_REVIEWER},
    "practical.attach": AUTHOR,
    "practical.attachment": PRACTICAL_BANK,
    "practical.task_paper": PRACTICAL_BANK,
    "practical.draw": OFFICES,
    "practical.choose_unit": OFFICER,
    "practical.redraw": OFFICER,
    "practical.draw_sheet": OFFICES,
    "practical.copy": OFFICER,
    "practical.new_group": OFFICER,
    "practical.group": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.replace": OFFICER,
    "practical.disband": OFFICER,
    "practical.absence": OFFICER,
    "practical.sheet": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.mark": {Role.PRACTICAL_ASSESSOR},
    "practical.mark_state": {Role.PRACTICAL_ASSESSOR},
    "practical.mark_pulse": {Role.PRACTICAL_ASSESSOR},
    "practical.mark_events": {Role.PRACTICAL_ASSESSOR},
    "practical.pin": {Role.PRACTICAL_ASSESSOR},
    "practical.chief": OFFICER,
    "practical.signature": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.correct": OFFICER | {Role.PRACTICAL_ASSESSOR},
    "practical.decide_correction": OFFICER,
    "practical.assessors": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.assessor": OFFICES | {Role.PRACTICAL_ASSESSOR},
    "practical.new_assessor": OFFICER,
    "practical.assessor_template": OFFICER,
    "practical.import_assessors": OFFICER,
    "practical.declare_tie": OFFICER | {Role.PRACTICAL_ASSESSOR},
    "practical.take_back_tie": OFFICER,
    "practical.raters": OFFICES,
    "practical.rater_plot": OFFICES,
    # scoring.review
    "review.index": OFFICES | {Role.REVIEW_EXAMINER},
    "review.mine": {Role.CANDIDATE},
    "review.hand_in": {Role.CANDIDATE},
    "review.withdraw": {Role.CANDIDATE},
    "review.receipt": OFFICES | {Role.CANDIDATE},
    "review.file": OFFICES | {Role.CANDIDATE, Role.REVIEW_EXAMINER},
    "review.hand_ins": OFFICES,
    "review.call": OFFICER,
    "review.check_overlaps": OFFICER,
    "review.overlap_page": OFFICES | {Role.REVIEW_EXAMINER},
    "review.new_panel": OFFICER,
    "review.panel": OFFICES | {Role.REVIEW_EXAMINER},
    "review.add_substitute": OFFICER,
    "review.leave": {Role.EXAM_OFFICER, Role.REVIEW_EXAMINER},
    "review.fill": OFFICER,
    "review.chair": OFFICER,
    "review.disband": OFFICER,
    "review.absence": OFFICER,
    "review.declare": {Role.REVIEW_EXAMINER},
    "review.draw": {Role.EXAM_OFFICER, Role.REVIEW_EXAMINER},
    "review.draw_sheet": OFFICES,
    "review.room": OFFICES | {Role.REVIEW_EXAMINER},
    "review.state": OFFICES | {Role.REVIEW_EXAMINER},
    "review.timer": {Role.REVIEW_EXAMINER},
    "review.mark": {Role.REVIEW_EXAMINER},
    "review.recuse": {Role.REVIEW_EXAMINER},
    "review.discuss": {Role.REVIEW_EXAMINER},
    "review.dissent": {Role.REVIEW_EXAMINER},
    "review.close": {Role.REVIEW_EXAMINER},
    "review.sign_minutes": {Role.REVIEW_EXAMINER},
    "review.minutes_pdf": OFFICES | {Role.REVIEW_EXAMINER},
    # scoring.results
    "results.index": OFFICES,
    "results.show": OFFICES,
    "results.merge": OFFICER,
    "results.difference": OFFICES,
    "results.credits_of": OFFICES,
    "results.evidence": OFFICES,
    "results.propose": OFFICER,
    "results.carry": OFFICER,
    "results.decide_credit": OFFICER,
    "results.withdraw_credit": OFFICER,
    "results.publish": OFFICER,
    "results.withdraw": OFFICER,
    "results.objection": OFFICER,
    "results.answer": OFFICER,
    "results.submit": OFFICER,
    "results.decide": {Role.CITY_OFFICER, Role.PROVINCE_OFFICER},
    "results.check": OFFICER,
    "results.reopen": {Role.PROVINCE_OFFICER},
    "results.misconduct_of": OFFICES,
    "results.propose_misconduct": OFFICER,
    "results.decide_misconduct": OFFICER,
    "results.withdraw_misconduct": OFFICER,
    "results.misconduct_file": OFFICES | {Role.CANDIDATE},
    "results.misconduct": OFFICES | {Role.CANDIDATE},
    "results.misconduct_letter": OFFICES | {Role.CANDIDATE},
    "results.tell_misconduct": OFFICER,
    "results.misconduct_statement": OFFICER | {Role.CANDIDATE},
    "results.recheck_list": OFFICES,
    "results.recheck": OFFICES,
    "results.look_recheck": OFFICER,
    "results.decide_recheck": OFFICER,
    "results.ask_recheck": {Role.CANDIDATE},
    "results.resit_list": OFFICES,
    "results.resit_workbook": OFFICES,
    "results.take_over": OFFICER,
    "results.proof_list": OFFICES,
    "results.issue_proofs": OFFICER,
    "results.proof_pdf": OFFICES | {Role.CANDIDATE},
    "results.revoke_proof": OFFICER,
    "results.notices": ANYONE,
    "results.object_publicly": ANYONE,
    "results.receipt": ANYONE,
    "results.check_proof": ANYONE,
    "results.notice": ANYONE,
    "results.mine": {Role.CANDIDATE},
    # scoring.reports
    "reports.index": OFFICES,
    "reports.region": CENTRES,
    "reports.region_picture": CENTRES,
    "reports.region_file": CENTRES,
    "reports.rates_picture": OFFICES,
    "reports.rates_file": OFFICES,
    "reports.show": OFFICES,
    "reports.make": OFFICES,
    "reports.file": OFFICES,
    "reports.roster": OFFICES,
    "reports.plots": OFFICES,
    "reports.plot": OFFICES,
    # scoring.certificates
    "certificates.index": LISTS,
    "certificates.batch": LISTS,
    "certificates.show": LISTS,
    "certificates.register": LISTS,
    "certificates.issue": OFFICER,
    "certificates.reports": LISTS,
    "certificates.make_report": OFFICER,
    "certificates.report_batch": LISTS,
    "certificates.report_file": OFFICER,
    "certificates.report_photos": OFFICER,
    "certificates.read_receipt": OFFICER,
    "certificates.report_layout": OFFICER,
    "certificates.set_report_layout": OFFICER,
    "certificates.stock_list": LISTS,
    "certificates.stock_book": LISTS,
    "certificates.blank_list": LISTS,
    "certificates.stock_register": LISTS,
    "certificates.move_stock": OFFICER,
    "certificates.decide_move": OFFICER,
    "certificates.count_stock": OFFICER,
    "certificates.print_list": OFFICER,
    "certificates.print_certificate": OFFICER,
    "certificates.pdfs": OFFICER,
    "certificates.pdf": OFFICER,
    "certificates.revoke": OFFICER,
    "certificates.seal_list": OFFICER,
    "certificates.set_seal": OFFICER,
    "certificates.seal_picture": OFFICER,
    "certificates.specimen": OFFICER,
    "certificates.replacement_list": LISTS,
    "certificates.replace": OFFICER,
    "certificates.decide_replacement": OFFICER,
    "certificates.own_credential": OFFICER,
    "certificates.public_credential": ANYONE,
    "certificates.keys": ANYONE,
    "certificates.revocations": ANYONE,
    "certificates.query": ANYONE,
    "certificates.root": ANYONE,
    # scoring.archive
    "archive.index": LISTS,
    "archive.checklist": LISTS,
    "archive.show": LISTS,
    "archive.verify": LISTS,
    "archive.pack": OFFICER,
    "archive.download": OFFICER,
    "archive.covers": LISTS,
    "archive.file_document": OFFICER,
    "archive.withdraw_document": OFFICER,
    "archive.scan": OFFICER,
    "archive.batches": LISTS,
    "archive.ledger_book": LISTS,
    "archive.batch": LISTS,
    "archive.batch_pdf": LISTS,
    "archive.batch_book": LISTS,
    "archive.accesses": LISTS,
    "archive.hold": LISTS,
    "archive.release": LISTS,
    "archive.ask_destruction": OFFICER,
    "archive.decide_destruction": OFFICER,
    "archive.videos": LISTS,
    "archive.register_video": OFFICER,
    "archive.check_videos": OFFICER,
    "archive.person_copy": OFFICER | ADMIN,
    "archive.take_person_copy": OFFICER | ADMIN,
    "archive.erasures": OFFICER,
    "archive.ask_erasure": OFFICER,
    "archive.decide_erasure": OFFICER,
    # scoring.worklist
    "worklist.calendar": STAFF,
    # scoring.api: the operations ask for a token of their own
    "api.directory": ANYONE,
    "api.token": ANYONE,
    "api.plans": ANYONE,
    "api.plan": ANYONE,
    "api.results": ANYONE,
    "api.candidates": ANYONE,
    "api.certificates": ANYONE,
    "api.certificate": ANYONE,
    "api.elsewhere": ANYONE,
    "api.document": ANYONE,
    "api.docs": ANYONE,
    "api.tokens": TOKEN_KEEPERS,
    "api.issue": TOKEN_KEEPERS,
    "api.show_token": TOKEN_KEEPERS,
    "api.revoke": TOKEN_KEEPERS,
}

# The left side: (heading, [(title, endpoint)]). A person sees only the doors that open for them.
NAVIGATION: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("工作台", (("待办", "home"), ("工作日历", "worklist.calendar"))),
    # qbank
    ("标准与题库", (("职业与标准", "standards.index"), ("题库", "items.index"), ("操作技能题库", "practical.bank"),
                 ("导入试题", "exchange.index"), ("导出试题", "exchange.export"), ("命题与审题", "items.desk"),
                 ("审核试题", "items.review"), ("分配审题", "items.tasks"), ("规则包", "standards.packs"))),
    ("组卷", (
        ("组卷方案", "papers.specifications"), ("组卷记录", "papers.families"), ("试卷", "papers.index"),
             ("启封试卷", "papers.openings"), ("题库健康", "papers.health"), ("试题统计", "statistics.index"))),
    # examroom
    ("考务", (("考务方案", "plans.index"), ("申报条件", "plans.conditions"), ("收费标准", "plans.fee_schedules"), ("回避申报", "plans.tie_list"))),
    ("备案", (("备案申请", "filing.applications"), ("备案范围", "filing.index"), ("试点评估", "filing.evaluations"), ("目录调整", "filing.removals"),
           ("报部备案", "filing.ministry"))),
    ("监督检查", (("质量督导", "oversight.index"), ("检查与整改", "oversight.inspection_list"), ("双随机抽取", "oversight.draw_list"),
              ("考场巡查", "oversight.live_list"), ("区域统计", "reports.region"), ("人员违规", "oversight.staff_case_list"),
              ("检查表", "oversight.check_lists"), ("回避登记", "oversight.recusal_list"))),
    ("理论考试", (("我的报名", "plans.own"), ("我的考试", "delivery.waiting_hall"), ("练习", "delivery.practice"), ("发卷", "delivery.index"),
              ("监考", "invigilation.index"), ("答案文件", "marking.answer_file_list"), ("阅卷", "marking.own_marking"), ("理论评分", "marking.index"),
              ("问题试题", "marking.item_cases"))),
    # scoring
    ("考核与结果", (("操作技能考核", "practical.index"), ("综合评审", "review.index"), ("我的评审材料", "review.mine"), ("成绩与结果", "results.index"),
                 ("成绩复核", "results.recheck_list"), ("统计报表", "reports.index"), ("我的成绩", "results.mine"),
                 ("证书", "certificates.index"), ("工作台账", "archive.batches"), ("归档", "archive.index"))),
    ("系统", (("单位", "accounts.institutions"), ("数据接口", "api.tokens"), ("账号与权限", "accounts.index"), ("审计留痕", "accounts.trail"),
             ("系统检查", "doctor.show"))),
)

# What the sign-in page offers to those who have no account.
PUBLIC = (("结果公示", "results.notices"), ("收费公示", "plans.public_fees"), ("成绩证明查询", "results.check_proof"), ("证书查询", "certificates.query"),
          ("评价机构目录", "filing.directory"), ("监督检查公开", "oversight.public_results"))

# Each room's own part of the work list.
TODOS: Sequence[Callable[..., list[Todo]]] = (
    qbank.kernel.jobs.todo,
    qbank.kernel.rounds.todo,
    qbank.kernel.factor_resets.todo,
    qbank.items.todo.todo,
    qbank.exchange.todo.todo,
    qbank.papers.todo.todo,
    scoring.practical.todo.todo,
    scoring.practical.bank_todo.todo,
    scoring.review.todo.todo,
    scoring.results.todo.todo,
    scoring.certificates.todo.todo,
    scoring.archive.todo.todo,
    scoring.api.todo.todo,
    examroom.filing.todo.todo,
    examroom.plans.todo.todo,
    examroom.plans.candidate_todo.todo,
    examroom.oversight.todo.todo,
    examroom.delivery.todo.todo,
    examroom.invigilation.todo.todo,
    examroom.marking.todo.todo,
)

# A command group for every room.
GROUPS: Sequence[click.Group] = (
    qbank.kernel.commands.group,
    qbank.kernel.media_commands.group,
    qbank.kernel.audit_commands.group,
    qbank.kernel.identity_commands.group,
    qbank.kernel.host_key_commands.group,
    qbank.kernel.standby_commands.group,
    qbank.standards.commands.group,
    qbank.items.commands.group,
    qbank.exchange.commands.group,
    qbank.statistics.commands.group,
    qbank.papers.commands.group,
    scoring.practical.commands.group,
    scoring.review.commands.group,
    scoring.results.commands.group,
    scoring.reports.commands.group,
    scoring.certificates.commands.group,
    scoring.archive.commands.group,
    scoring.api.commands.group,
    examroom.filing.commands.group,
    examroom.plans.commands.group,
    examroom.oversight.commands.group,
    examroom.delivery.commands.group,
    examroom.invigilation.commands.group,
    examroom.marking.commands.group,
)


def create_app(settings: Settings, *, clock: Clock | None = None) -> Flask:
    """The application on the database and folder of ``settings``."""
    kept = digest_of(STATIC, version("bootstrap-flask"))  # its files stand under the same mark
    app = Flask(__name__, template_folder="templates", static_folder=STATIC, static_url_path=f"/static/{kept}")
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, CANDIDATE_DOOR="delivery.sign_in", WORK_LIST=waiting, DOORS=ACCESS)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.add_url_rule("/", "home", scoring.worklist.views.home)
    app.register_blueprint(qbank.kernel.health.blueprint)
    app.register_blueprint(qbank.kernel.setup_views.blueprint)
    app.register_blueprint(qbank.kernel.doctor_views.blueprint)
    for room in ROOMS:
        app.register_blueprint(room.views.blueprint)
    Bootstrap5(app)
    app.wsgi_app = Lane(app.wsgi_app, app)  # type: ignore[method-assign]  # Flask's way
    doors = {endpoint: frozenset(roles) for endpoint, roles in ACCESS.items()}
    web.install(app, settings, Database.of(settings), clock or SteadyClock(), doors)
    operations.install(app, settings)
    app.template_filter("spoken")(spoken)
    app.template_filter("to_form")(to_form)
    app.template_filter("points")(points)
    app.template_global("level_name")(LEVEL_NAMES.__getitem__)
    app.template_global("csrf")(csrf_field)
    app.context_processor(frame)
    check_doors(app, doors)
    return app


def waiting(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """All that waits for ``viewer``, as each room says it."""
    return [todo for room in TODOS for todo in room(session, viewer, now=now)]


def frame() -> dict[str, Any]:
    """What every page's frame shows: the doors that open for this person."""
    door = url_for(current_app.config["CANDIDATE_DOOR"])
    if not current_user.is_authenticated:
        return {"navigation": [], "candidate_door": door,
                "public": [(title, url_for(endpoint)) for title, endpoint in PUBLIC]}
    person = web.viewer()
    opened = [(heading, [(title, endpoint) for title, endpoint in entries if may_pass(person, ACCESS[endpoint])])
              for heading, entries in NAVIGATION]
    return {"navigation": [(heading, entries) for heading, entries in opened if entries], "candidate_door": door}


def csrf_field() -> Markup:
    """The hidden field of every form that writes."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def points(half_points: int | None) -> str:
    """Half-points as the office writes a score: ``119`` → ``59.5``; a dash for no score."""
    return "—" if half_points is None else f"{half_points / 2:.1f}"


def main() -> None:
    """The console script ``examroom``."""
    run(console(create_app, (*GROUPS, demo_command(create_app))))


if __name__ == "__main__":
    main()
