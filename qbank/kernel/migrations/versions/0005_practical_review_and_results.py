"""practical review and results."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times
from qbank.kernel.migrations import data_0005

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    kept = data_0005.before(op.get_bind())
    op.create_table('result_visits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('OBJECTION', 'RECEIPT', 'PROOF', name='visitkind', native_enum=False, length=10), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('found', sa.Boolean(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_visits'))
    )
    with op.batch_alter_table('result_visits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_result_visits_at'), ['at'], unique=False)

    op.create_table('assessor_ties',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('TEACHER', 'RELATIVE', name='tiekind', native_enum=False, length=10), nullable=False),
    sa.Column('class_name', sa.String(length=200), nullable=False),
    sa.Column('candidate_id', sa.Integer(), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('declared_by', sa.Integer(), nullable=False),
    sa.Column('declared_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_assessor_ties_account_id_accounts')),
    sa.ForeignKeyConstraint(['candidate_id'], ['accounts.id'], name=op.f('fk_assessor_ties_candidate_id_accounts')),
    sa.ForeignKeyConstraint(['declared_by'], ['accounts.id'], name=op.f('fk_assessor_ties_declared_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_assessor_ties_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assessor_ties'))
    )
    with op.batch_alter_table('assessor_ties', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assessor_ties_account_id'), ['account_id'], unique=False)

    op.create_table('assessors',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('certificate_number', sa.String(length=40), nullable=False),
    sa.Column('occupation_id', sa.Integer(), nullable=False),
    sa.Column('levels', sa.JSON(), nullable=False),
    sa.Column('senior', sa.Boolean(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_assessors_account_id_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_assessors_institution_id_institutions')),
    sa.ForeignKeyConstraint(['occupation_id'], ['occupations.id'], name=op.f('fk_assessors_occupation_id_occupations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assessors')),
    sa.UniqueConstraint('institution_id', 'account_id', 'occupation_id', name=op.f('uq_assessors_institution_id_account_id_occupation_id')),
    sa.UniqueConstraint('institution_id', 'certificate_number', name=op.f('uq_assessors_institution_id_certificate_number'))
    )
    with op.batch_alter_table('assessors', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assessors_account_id'), ['account_id'], unique=False)

    op.create_table('rule_pack_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('pack_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('values', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('changed_by', sa.Integer(), nullable=True),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint("reason <> ''", name=op.f('ck_rule_pack_versions_reason')),
    sa.ForeignKeyConstraint(['changed_by'], ['accounts.id'], name=op.f('fk_rule_pack_versions_changed_by_accounts')),
    sa.ForeignKeyConstraint(['pack_id'], ['rule_packs.id'], name=op.f('fk_rule_pack_versions_pack_id_rule_packs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_pack_versions')),
    sa.UniqueConstraint('pack_id', 'number', name=op.f('uq_rule_pack_versions_pack_id_number'))
    )
    with op.batch_alter_table('rule_pack_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rule_pack_versions_pack_id'), ['pack_id'], unique=False)

    op.create_table('signing_pins',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('set_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_signing_pins_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signing_pins')),
    sa.UniqueConstraint('account_id', name=op.f('uq_signing_pins_account_id'))
    )
    op.create_table('assessor_draws',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('seed', sa.String(length=40), nullable=False),
    sa.Column('eligible', sa.JSON(), nullable=False),
    sa.Column('drawn', sa.JSON(), nullable=False),
    sa.Column('candidates', sa.JSON(), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['drawn_by'], ['accounts.id'], name=op.f('fk_assessor_draws_drawn_by_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_assessor_draws_plan_id_exam_plans')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assessor_draws'))
    )
    with op.batch_alter_table('assessor_draws', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assessor_draws_plan_id'), ['plan_id'], unique=False)

    op.create_table('content_structures',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'IN_FORCE', 'REPLACED', name='structurestate', native_enum=False, length=10), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['accounts.id'], name=op.f('fk_content_structures_created_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_content_structures_institution_id_institutions')),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_content_structures_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_content_structures')),
    sa.UniqueConstraint('institution_id', 'table_id', 'number', name=op.f('uq_content_structures_institution_id_table_id_number'))
    )
    with op.batch_alter_table('content_structures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_content_structures_table_id'), ['table_id'], unique=False)

    op.create_table('issuer_seals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('picture_id', sa.Integer(), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_issuer_seals_institution_id_institutions')),
    sa.ForeignKeyConstraint(['picture_id'], ['attachments.id'], name=op.f('fk_issuer_seals_picture_id_attachments')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_issuer_seals_set_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_issuer_seals'))
    )
    with op.batch_alter_table('issuer_seals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_issuer_seals_institution_id'), ['institution_id'], unique=False)

    op.create_table('report_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_report_files_account_id_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_report_files_plan_id_exam_plans')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_files'))
    )
    with op.batch_alter_table('report_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_files_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_files_plan_id'), ['plan_id'], unique=False)

    op.create_table('review_calls',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('until', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_review_calls_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_review_calls_set_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_calls')),
    sa.UniqueConstraint('plan_id', name=op.f('uq_review_calls_plan_id'))
    )
    op.create_table('chain_acknowledgements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_chain_acknowledgements_account_id_accounts')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_chain_acknowledgements_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chain_acknowledgements')),
    sa.UniqueConstraint('sitting_id', 'digest', 'account_id', name=op.f('uq_chain_acknowledgements_sitting_id_digest_account_id'))
    )
    with op.batch_alter_table('chain_acknowledgements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_chain_acknowledgements_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('misconducts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=8), nullable=True),
    sa.Column('tier', sa.String(length=200), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('banned_until', sa.Date(), nullable=True),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN', name='creditstate', native_enum=False, length=10), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=False),
    sa.Column('proposed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name=op.f('ck_misconducts_decided')),
    sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name=op.f('ck_misconducts_second_person')),
    sa.CheckConstraint("evidence <> ''", name=op.f('ck_misconducts_evidence')),
    sa.CheckConstraint("part IS NULL OR part IN ('理论知识', '操作技能', '综合评审')", name=op.f('ck_misconducts_part')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_misconducts_decided_by_accounts')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_misconducts_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['file_id'], ['attachments.id'], name=op.f('fk_misconducts_file_id_attachments')),
    sa.ForeignKeyConstraint(['proposed_by'], ['accounts.id'], name=op.f('fk_misconducts_proposed_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_misconducts'))
    )
    with op.batch_alter_table('misconducts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_misconducts_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('practical_draws',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('structure_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('CURRENT', 'REPLACED', name='drawstate', native_enum=False, length=10), nullable=False),
    sa.Column('seed', sa.String(length=64), nullable=False),
    sa.Column('starts_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('pool', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=False),
    sa.Column('drawn_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('redraw_reason', sa.Text(), nullable=False),
    sa.Column('redraw_asked_by', sa.Integer(), nullable=True),
    sa.Column('redraw_asked_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['drawn_by'], ['accounts.id'], name=op.f('fk_practical_draws_drawn_by_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_practical_draws_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['redraw_asked_by'], ['accounts.id'], name=op.f('fk_practical_draws_redraw_asked_by_accounts')),
    sa.ForeignKeyConstraint(['structure_id'], ['content_structures.id'], name=op.f('fk_practical_draws_structure_id_content_structures')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_draws')),
    sa.UniqueConstraint('plan_id', 'number', name=op.f('uq_practical_draws_plan_id_number'))
    )
    with op.batch_alter_table('practical_draws', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_practical_draws_plan_id'), ['plan_id'], unique=False)

    op.create_table('practical_modules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('structure_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('mode', sa.Enum('REQUIRED', 'CHOSEN', 'DRAWN', name='mode', native_enum=False, length=10), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('form', sa.Enum('ON_SITE', 'SIMULATED', 'WRITTEN', 'COMPUTER', 'ORAL', name='form', native_enum=False, length=10), nullable=False),
    sa.Column('portions', sa.JSON(), nullable=False),
    sa.Column('previous_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('weight > 0', name=op.f('ck_practical_modules_weight')),
    sa.ForeignKeyConstraint(['previous_id'], ['practical_modules.id'], name=op.f('fk_practical_modules_previous_id_practical_modules')),
    sa.ForeignKeyConstraint(['structure_id'], ['content_structures.id'], name=op.f('fk_practical_modules_structure_id_content_structures')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_modules')),
    sa.UniqueConstraint('structure_id', 'position', name=op.f('uq_practical_modules_structure_id_position'))
    )
    op.create_table('review_draws',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('panel_id', sa.Integer(), nullable=False),
    sa.Column('seed', sa.String(length=40), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['drawn_by'], ['accounts.id'], name=op.f('fk_review_draws_drawn_by_accounts')),
    sa.ForeignKeyConstraint(['panel_id'], ['review_panels.id'], name=op.f('fk_review_draws_panel_id_review_panels')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_draws'))
    )
    with op.batch_alter_table('review_draws', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_draws_panel_id'), ['panel_id'], unique=False)

    op.create_table('review_submissions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('PAPER', 'EVIDENCE', name='submissionkind', native_enum=False, length=10), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.Column('receipt', sa.String(length=24), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_review_submissions_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_review_submissions_enrolment_id_enrolments')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_submissions')),
    sa.UniqueConstraint('enrolment_id', 'kind', 'number', name=op.f('uq_review_submissions_enrolment_id_kind_number')),
    sa.UniqueConstraint('receipt', name=op.f('uq_review_submissions_receipt'))
    )
    op.create_table('sealed_lists',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('specification_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('key_name', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['specification_id'], ['specifications.id'], name=op.f('fk_sealed_lists_specification_id_specifications')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sealed_lists')),
    sa.UniqueConstraint('specification_id', name=op.f('uq_sealed_lists_specification_id'))
    )
    op.create_table('panel_vacancies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.Enum('INTEREST', 'ABSENT', name='cause', native_enum=False, length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('recorded_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('substitute_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('substitute_id IS NULL OR substitute_id <> member_id', name=op.f('ck_panel_vacancies_another')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_panel_vacancies_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['member_id'], ['panel_members.id'], name=op.f('fk_panel_vacancies_member_id_panel_members')),
    sa.ForeignKeyConstraint(['recorded_by'], ['accounts.id'], name=op.f('fk_panel_vacancies_recorded_by_accounts')),
    sa.ForeignKeyConstraint(['substitute_id'], ['panel_members.id'], name=op.f('fk_panel_vacancies_substitute_id_panel_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_panel_vacancies')),
    sa.UniqueConstraint('member_id', 'enrolment_id', name=op.f('uq_panel_vacancies_member_id_enrolment_id'))
    )
    with op.batch_alter_table('panel_vacancies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_panel_vacancies_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('practical_tasks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('module_id', sa.Integer(), nullable=False),
    sa.Column('option', sa.String(length=200), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['accounts.id'], name=op.f('fk_practical_tasks_created_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_practical_tasks_institution_id_institutions')),
    sa.ForeignKeyConstraint(['module_id'], ['practical_modules.id'], name=op.f('fk_practical_tasks_module_id_practical_modules')),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_practical_tasks_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_tasks')),
    sa.UniqueConstraint('institution_id', 'code', name=op.f('uq_practical_tasks_institution_id_code'))
    )
    with op.batch_alter_table('practical_tasks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_practical_tasks_module_id'), ['module_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_practical_tasks_table_id'), ['table_id'], unique=False)

    op.create_table('practical_unit_choices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('module_id', sa.Integer(), nullable=False),
    sa.Column('option', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_practical_unit_choices_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['module_id'], ['practical_modules.id'], name=op.f('fk_practical_unit_choices_module_id_practical_modules')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_unit_choices')),
    sa.UniqueConstraint('enrolment_id', 'module_id', name=op.f('uq_practical_unit_choices_enrolment_id_module_id'))
    )
    op.create_table('rechecks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('before', sa.Integer(), nullable=True),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('found', sa.Text(), nullable=False),
    sa.Column('looked_by', sa.Integer(), nullable=True),
    sa.Column('outcome', sa.Enum('UPHELD', 'CORRECTED', 'DECLINED', name='recheckoutcome', native_enum=False, length=10), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(found = '') = (looked_by IS NULL)", name=op.f('ck_rechecks_looked')),
    sa.CheckConstraint("part IN ('理论知识', '操作技能', '综合评审')", name=op.f('ck_rechecks_part')),
    sa.CheckConstraint('(outcome IS NULL) = (decided_at IS NULL)', name=op.f('ck_rechecks_decided')),
    sa.CheckConstraint('decided_by IS NULL OR looked_by IS NULL OR decided_by <> looked_by', name=op.f('ck_rechecks_second_person')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_rechecks_decided_by_accounts')),
    sa.ForeignKeyConstraint(['looked_by'], ['accounts.id'], name=op.f('fk_rechecks_looked_by_accounts')),
    sa.ForeignKeyConstraint(['result_id'], ['results.id'], name=op.f('fk_rechecks_result_id_results')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rechecks')),
    sa.UniqueConstraint('result_id', 'part', name=op.f('uq_rechecks_result_id_part'))
    )
    with op.batch_alter_table('rechecks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rechecks_result_id'), ['result_id'], unique=False)

    op.create_table('review_cases',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('panel_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('draw_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('WAITING', 'DEFENDING', 'PAUSED', 'SCORING', 'DISCUSSING', 'DONE', name='casestate', native_enum=False), nullable=False),
    sa.Column('began_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('running_since', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('spent_seconds', sa.Integer(), nullable=False),
    sa.Column('ended_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('early_reason', sa.Text(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('revealed', sa.Integer(), nullable=False),
    sa.Column('discussion', sa.Text(), nullable=False),
    sa.Column('discussed_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'DEFENDING') = (running_since IS NOT NULL)", name=op.f('ck_review_cases_running')),
    sa.CheckConstraint('revealed <= round', name=op.f('ck_review_cases_revealed')),
    sa.ForeignKeyConstraint(['draw_id'], ['review_draws.id'], name=op.f('fk_review_cases_draw_id_review_draws')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_review_cases_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['panel_id'], ['review_panels.id'], name=op.f('fk_review_cases_panel_id_review_panels')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_cases')),
    sa.UniqueConstraint('enrolment_id', name=op.f('uq_review_cases_enrolment_id')),
    sa.UniqueConstraint('panel_id', 'number', name=op.f('uq_review_cases_panel_id_number'))
    )
    op.create_table('review_dissents',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_review_dissents_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['member_id'], ['panel_members.id'], name=op.f('fk_review_dissents_member_id_panel_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_dissents')),
    sa.UniqueConstraint('member_id', 'enrolment_id', name=op.f('uq_review_dissents_member_id_enrolment_id'))
    )
    with op.batch_alter_table('review_dissents', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_dissents_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('review_overlap_checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('compared', sa.Integer(), nullable=False),
    sa.Column('permille', sa.Integer(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['submission_id'], ['review_submissions.id'], name=op.f('fk_review_overlap_checks_submission_id_review_submissions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_overlap_checks'))
    )
    with op.batch_alter_table('review_overlap_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_overlap_checks_submission_id'), ['submission_id'], unique=False)

    op.create_table('review_texts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['submission_id'], ['review_submissions.id'], name=op.f('fk_review_texts_submission_id_review_submissions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_texts')),
    sa.UniqueConstraint('submission_id', name=op.f('uq_review_texts_submission_id'))
    )
    op.create_table('score_proofs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=8), nullable=False),
    sa.Column('code', sa.String(length=19), nullable=False),
    sa.Column('holder', sa.String(length=200), nullable=False),
    sa.Column('identity_masked', sa.String(length=18), nullable=False),
    sa.Column('occupation', sa.String(length=200), nullable=False),
    sa.Column('occupation_code', sa.String(length=16), nullable=False),
    sa.Column('work_type', sa.String(length=200), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('half_points', sa.Integer(), nullable=False),
    sa.Column('achieved_on', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=False),
    sa.Column('plan_number', sa.String(length=200), nullable=False),
    sa.Column('issuer', sa.String(length=200), nullable=False),
    sa.Column('issued_by', sa.Integer(), nullable=False),
    sa.Column('issued_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('revoked_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('revoked_why', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoked_why = '')", name=op.f('ck_score_proofs_revoked')),
    sa.CheckConstraint('half_points BETWEEN 0 AND 200', name=op.f('ck_score_proofs_half_points')),
    sa.ForeignKeyConstraint(['issued_by'], ['accounts.id'], name=op.f('fk_score_proofs_issued_by_accounts')),
    sa.ForeignKeyConstraint(['result_id'], ['results.id'], name=op.f('fk_score_proofs_result_id_results')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_score_proofs')),
    sa.UniqueConstraint('code', name=op.f('uq_score_proofs_code'))
    )
    with op.batch_alter_table('score_proofs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_score_proofs_result_id'), ['result_id'], unique=False)

    op.create_table('certificate_replacements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('certificate_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.Enum('LOST', 'DAMAGED', 'CORRECTED', name='replacementcause', native_enum=False, length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'MADE', 'REFUSED', name='replacementstate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('previous_pdf', sa.LargeBinary(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name=op.f('ck_certificate_replacements_decided')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_certificate_replacements_two_persons')),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_certificate_replacements_asked_by_accounts')),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificates.id'], name=op.f('fk_certificate_replacements_certificate_id_certificates')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_certificate_replacements_decided_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_replacements'))
    )
    with op.batch_alter_table('certificate_replacements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificate_replacements_certificate_id'), ['certificate_id'], unique=False)

    op.create_table('mark_streams',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('device', sa.String(length=32), nullable=False),
    sa.Column('acknowledged', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_mark_streams_account_id_accounts')),
    sa.ForeignKeyConstraint(['group_id'], ['practical_groups.id'], name=op.f('fk_mark_streams_group_id_practical_groups')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mark_streams')),
    sa.UniqueConstraint('group_id', 'account_id', 'device', name=op.f('uq_mark_streams_group_id_account_id_device'))
    )
    with op.batch_alter_table('mark_streams', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mark_streams_group_id'), ['group_id'], unique=False)

    op.create_table('paper_uses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_paper_uses_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_uses')),
    sa.UniqueConstraint('sitting_id', 'paper_id', name=op.f('uq_paper_uses_sitting_id_paper_id'))
    )
    with op.batch_alter_table('paper_uses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_uses_paper_id'), ['paper_id'], unique=False)

    op.create_table('practical_task_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('task_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'APPROVED', 'RETURNED', 'RETIRED', name='taskstate', native_enum=False, length=10), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('demands', sa.Text(), nullable=False),
    sa.Column('school_note', sa.Text(), nullable=False),
    sa.Column('school_list', sa.JSON(), nullable=False),
    sa.Column('candidate_note', sa.Text(), nullable=False),
    sa.Column('candidate_list', sa.JSON(), nullable=False),
    sa.Column('rubric_id', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('created_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('submitted_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('reviewed_by', sa.Integer(), nullable=True),
    sa.Column('reviewed_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['accounts.id'], name=op.f('fk_practical_task_versions_created_by_accounts')),
    sa.ForeignKeyConstraint(['reviewed_by'], ['accounts.id'], name=op.f('fk_practical_task_versions_reviewed_by_accounts')),
    sa.ForeignKeyConstraint(['rubric_id'], ['rubrics.id'], name=op.f('fk_practical_task_versions_rubric_id_rubrics')),
    sa.ForeignKeyConstraint(['task_id'], ['practical_tasks.id'], name=op.f('fk_practical_task_versions_task_id_practical_tasks')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_task_versions')),
    sa.UniqueConstraint('rubric_id', name=op.f('uq_practical_task_versions_rubric_id')),
    sa.UniqueConstraint('task_id', 'number', name=op.f('uq_practical_task_versions_task_id_number'))
    )
    with op.batch_alter_table('practical_task_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_practical_task_versions_task_id'), ['task_id'], unique=False)

    op.create_table('review_overlap_hits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('check_id', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('permille', sa.Integer(), nullable=False),
    sa.Column('longest', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['check_id'], ['review_overlap_checks.id'], name=op.f('fk_review_overlap_hits_check_id_review_overlap_checks')),
    sa.ForeignKeyConstraint(['other_id'], ['review_submissions.id'], name=op.f('fk_review_overlap_hits_other_id_review_submissions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_overlap_hits'))
    )
    with op.batch_alter_table('review_overlap_hits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_overlap_hits_check_id'), ['check_id'], unique=False)

    op.create_table('discrepancies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('spread', sa.Integer(), nullable=False),
    sa.Column('allowed', sa.Integer(), nullable=False),
    sa.Column('found_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['group_members.id'], name=op.f('fk_discrepancies_member_id_group_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_discrepancies')),
    sa.UniqueConstraint('member_id', name=op.f('uq_discrepancies_member_id'))
    )
    op.create_table('practical_lots',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('draw_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('module_id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('station', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['practical_draws.id'], name=op.f('fk_practical_lots_draw_id_practical_draws')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_practical_lots_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['module_id'], ['practical_modules.id'], name=op.f('fk_practical_lots_module_id_practical_modules')),
    sa.ForeignKeyConstraint(['version_id'], ['practical_task_versions.id'], name=op.f('fk_practical_lots_version_id_practical_task_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_lots')),
    sa.UniqueConstraint('draw_id', 'enrolment_id', 'module_id', name=op.f('uq_practical_lots_draw_id_enrolment_id_module_id')),
    sa.UniqueConstraint('draw_id', 'module_id', 'turn', 'station', name=op.f('uq_practical_lots_draw_id_module_id_turn_station'))
    )
    with op.batch_alter_table('practical_lots', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_practical_lots_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('practical_task_attachments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('caption', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_practical_task_attachments_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['version_id'], ['practical_task_versions.id'], name=op.f('fk_practical_task_attachments_version_id_practical_task_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practical_task_attachments')),
    sa.UniqueConstraint('version_id', 'position', name=op.f('uq_practical_task_attachments_version_id_position'))
    )
    op.create_table('mark_corrections',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('row_id', sa.Integer(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'APPROVED', 'REJECTED', name='correctionstate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('score_before', sa.Integer(), nullable=True),
    sa.Column('score_after', sa.Integer(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_mark_corrections_asked_by_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_mark_corrections_decided_by_accounts')),
    sa.ForeignKeyConstraint(['row_id'], ['rubric_rows.id'], name=op.f('fk_mark_corrections_row_id_rubric_rows')),
    sa.ForeignKeyConstraint(['sheet_id'], ['mark_sheets.id'], name=op.f('fk_mark_corrections_sheet_id_mark_sheets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mark_corrections'))
    )
    with op.batch_alter_table('mark_corrections', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mark_corrections_sheet_id'), ['sheet_id'], unique=False)

    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.alter_column('media_type',
               existing_type=sa.VARCHAR(length=40),
               type_=sa.String(length=80),
               existing_nullable=False)

    with op.batch_alter_table('certificates', schema=None) as batch_op:
        batch_op.add_column(sa.Column('photo_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_certificates_photo_id_candidate_photos'), 'candidate_photos', ['photo_id'], ['id'])

    with op.batch_alter_table('group_members', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_group_members_enrolment_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_group_members_group_id_enrolment_id'), ['group_id', 'enrolment_id'])

    with op.batch_alter_table('mark_sheets', schema=None) as batch_op:
        batch_op.add_column(sa.Column('signed_with', sa.String(length=4), server_default='', nullable=False))
        batch_op.add_column(sa.Column('signature_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('is_chief', sa.Boolean(), server_default='0', nullable=False))
        batch_op.create_foreign_key(batch_op.f('fk_mark_sheets_signature_id_attachments'), 'attachments', ['signature_id'], ['id'])

    with op.batch_alter_table('marks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('entry', sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table('objections', schema=None) as batch_op:
        batch_op.add_column(sa.Column('receipt', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('answered_by', sa.Integer(), nullable=True))
        batch_op.alter_column('recorded_by',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.create_unique_constraint(batch_op.f('uq_objections_receipt'), ['receipt'])
        batch_op.create_foreign_key(batch_op.f('fk_objections_answered_by_accounts'), 'accounts', ['answered_by'], ['id'])

    with op.batch_alter_table('panel_marks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('round', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('points', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('signature_id', sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f('uq_panel_marks_member_id_enrolment_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_panel_marks_member_id_enrolment_id_round'), ['member_id', 'enrolment_id', 'round'])
        batch_op.create_foreign_key(batch_op.f('fk_panel_marks_signature_id_attachments'), 'attachments', ['signature_id'], ['id'])
        batch_op.drop_constraint(batch_op.f('ck_panel_marks_out_of_100'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_panel_marks_no_blanks'), type_='check')
        batch_op.drop_column('defence')
        batch_op.drop_column('thesis')

    with op.batch_alter_table('panel_members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_substitute', sa.Boolean(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('declared_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('minutes_signed_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('minutes_signature_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_panel_members_minutes_signature_id_attachments'), 'attachments', ['minutes_signature_id'], ['id'])

    with op.batch_alter_table('practical_groups', schema=None) as batch_op:
        batch_op.add_column(sa.Column('module_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('chief_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_practical_groups_chief_id_accounts'), 'accounts', ['chief_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_practical_groups_module_id_practical_modules'), 'practical_modules', ['module_id'], ['id'])

    with op.batch_alter_table('result_lists', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pack_version_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('merged_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('checked_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('checked_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_result_lists_pack_version_id_rule_pack_versions'), 'rule_pack_versions', ['pack_version_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_result_lists_merged_by_accounts'), 'accounts', ['merged_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_result_lists_checked_by_accounts'), 'accounts', ['checked_by'], ['id'])

    with op.batch_alter_table('results', schema=None) as batch_op:
        batch_op.add_column(sa.Column('label', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('pack_version_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_results_pack_version_id_rule_pack_versions'), 'rule_pack_versions', ['pack_version_id'], ['id'])

    with op.batch_alter_table('review_panels', schema=None) as batch_op:
        batch_op.add_column(sa.Column('place', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('minutes', sa.Integer(), server_default='30', nullable=False))
        batch_op.add_column(sa.Column('form', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('spread_half_points', sa.Integer(), server_default='20', nullable=False))
        batch_op.add_column(sa.Column('closed_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('closing_note', sa.Text(), server_default='', nullable=False))

    with op.batch_alter_table('rubric_rows', schema=None) as batch_op:
        batch_op.add_column(sa.Column('detail', sa.JSON(), server_default='{}', nullable=False))

    with op.batch_alter_table('rubrics', schema=None) as batch_op:
        batch_op.add_column(sa.Column('full', sa.Integer(), server_default='200', nullable=False))
        batch_op.add_column(sa.Column('targets', sa.JSON(none_as_null=True), nullable=True))
    data_0005.after(op.get_bind(), kept)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
