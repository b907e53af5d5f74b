"""the certification office."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('public_visits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('found', sa.Boolean(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_public_visits'))
    )
    with op.batch_alter_table('public_visits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_public_visits_at'), ['at'], unique=False)
        batch_op.create_index('ix_public_visits_kind_at', ['kind', 'at'], unique=False)

    op.create_table('entry_conditions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('standard_id', sa.Integer(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('predicate', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('written_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('ended_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.CheckConstraint('level BETWEEN 1 AND 5', name=op.f('ck_entry_conditions_level')),
    sa.CheckConstraint('number BETWEEN 1 AND 99', name=op.f('ck_entry_conditions_number')),
    sa.ForeignKeyConstraint(['standard_id'], ['standards.id'], name=op.f('fk_entry_conditions_standard_id_standards')),
    sa.ForeignKeyConstraint(['written_by'], ['accounts.id'], name=op.f('fk_entry_conditions_written_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_conditions')),
    sa.UniqueConstraint('standard_id', 'level', 'number', 'version', name=op.f('uq_entry_conditions_standard_id_level_number_version'))
    )
    with op.batch_alter_table('entry_conditions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_conditions_standard_id'), ['standard_id'], unique=False)

    op.create_table('fee_schedules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('standard_id', sa.Integer(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('theory_fen', sa.Integer(), nullable=False),
    sa.Column('practical_fen', sa.Integer(), nullable=False),
    sa.Column('review_fen', sa.Integer(), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('filed_with', sa.String(length=200), nullable=False),
    sa.Column('filing_reference', sa.String(length=200), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=False),
    sa.Column('published_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint('level BETWEEN 1 AND 5', name=op.f('ck_fee_schedules_level')),
    sa.CheckConstraint('theory_fen >= 0 AND practical_fen >= 0 AND review_fen >= 0', name=op.f('ck_fee_schedules_amounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_fee_schedules_institution_id_institutions')),
    sa.ForeignKeyConstraint(['published_by'], ['accounts.id'], name=op.f('fk_fee_schedules_published_by_accounts')),
    sa.ForeignKeyConstraint(['standard_id'], ['standards.id'], name=op.f('fk_fee_schedules_standard_id_standards')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fee_schedules'))
    )
    with op.batch_alter_table('fee_schedules', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_fee_schedules_institution_id'), ['institution_id'], unique=False)

    op.create_table('filing_applications',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.Enum('FIRST', 'ADDITION', 'CHANGE', 'RENEWAL', name='applicationkind', native_enum=False, length=10), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'CITY_PASSED', 'RETURNED', 'DECIDED', 'REFUSED', 'WITHDRAWN', name='applicationstate', native_enum=False, length=12), nullable=False),
    sa.Column('unit', sa.JSON(), nullable=False),
    sa.Column('prose', sa.JSON(), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('wish', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('created_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('submitted_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('edits', sa.Integer(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['accounts.id'], name=op.f('fk_filing_applications_created_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_filing_applications_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_applications')),
    sa.UniqueConstraint('number', name=op.f('uq_filing_applications_number'))
    )
    with op.batch_alter_table('filing_applications', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_applications_institution_id'), ['institution_id'], unique=False)

    op.create_table('ministry_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reported_on', sa.Date(), nullable=False),
    sa.Column('receipt', sa.String(length=200), nullable=False),
    sa.Column('reported_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['reported_by'], ['accounts.id'], name=op.f('fk_ministry_reports_reported_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ministry_reports'))
    )
    op.create_table('archive_documents',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('line', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=True),
    sa.Column('place', sa.String(length=200), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('filed_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('withdrawn_why', sa.Text(), nullable=False),
    sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name=op.f('ck_archive_documents_withdrawn')),
    sa.CheckConstraint("attachment_id IS NOT NULL OR place <> ''", name=op.f('ck_archive_documents_somewhere')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_archive_documents_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['filed_by'], ['accounts.id'], name=op.f('fk_archive_documents_filed_by_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_archive_documents_plan_id_exam_plans')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archive_documents'))
    )
    with op.batch_alter_table('archive_documents', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archive_documents_plan_id'), ['plan_id'], unique=False)

    op.create_table('archive_holds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=False),
    sa.Column('set_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('released_by', sa.Integer(), nullable=True),
    sa.Column('released_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('released_why', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(released_at IS NULL) = (released_why = '')", name=op.f('ck_archive_holds_released')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_archive_holds_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['released_by'], ['accounts.id'], name=op.f('fk_archive_holds_released_by_accounts')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_archive_holds_set_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archive_holds'))
    )
    with op.batch_alter_table('archive_holds', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archive_holds_plan_id'), ['plan_id'], unique=False)

    op.create_table('cost_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('category', sa.String(length=200), nullable=False),
    sa.Column('fen', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('entered_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('cancelled_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('cancelled_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('fen > 0', name=op.f('ck_cost_entries_fen')),
    sa.ForeignKeyConstraint(['cancelled_by'], ['accounts.id'], name=op.f('fk_cost_entries_cancelled_by_accounts')),
    sa.ForeignKeyConstraint(['entered_by'], ['accounts.id'], name=op.f('fk_cost_entries_entered_by_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_cost_entries_plan_id_exam_plans')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cost_entries'))
    )
    with op.batch_alter_table('cost_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cost_entries_plan_id'), ['plan_id'], unique=False)

    op.create_table('fee_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('CHARGE', 'WAIVER', 'PAYMENT', 'REFUND', name='feekind', native_enum=False, length=10), nullable=False),
    sa.Column('fen', sa.Integer(), nullable=False),
    sa.Column('schedule_id', sa.Integer(), nullable=True),
    sa.Column('receipt', sa.String(length=30), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('entered_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint('fen > 0', name=op.f('ck_fee_entries_fen')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_fee_entries_account_id_accounts')),
    sa.ForeignKeyConstraint(['entered_by'], ['accounts.id'], name=op.f('fk_fee_entries_entered_by_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_fee_entries_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['schedule_id'], ['fee_schedules.id'], name=op.f('fk_fee_entries_schedule_id_fee_schedules')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fee_entries')),
    sa.UniqueConstraint('receipt', name=op.f('uq_fee_entries_receipt'))
    )
    with op.batch_alter_table('fee_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_fee_entries_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_fee_entries_plan_id'), ['plan_id'], unique=False)

    op.create_table('filing_decisions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'CITY_PASSED', 'RETURNED', 'DECIDED', 'REFUSED', 'WITHDRAWN', name='applicationstate', native_enum=False, length=12), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_filing_decisions_application_id_filing_applications')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_filing_decisions_decided_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_decisions'))
    )
    with op.batch_alter_table('filing_decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_decisions_application_id'), ['application_id'], unique=False)

    op.create_table('filing_form_takings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('format', sa.String(length=4), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_filing_form_takings_account_id_accounts')),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_filing_form_takings_application_id_filing_applications')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_form_takings'))
    )
    with op.batch_alter_table('filing_form_takings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_form_takings_application_id'), ['application_id'], unique=False)

    op.create_table('filing_materials',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('standard_id', sa.Integer(), nullable=True),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_filing_materials_application_id_filing_applications')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_filing_materials_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['standard_id'], ['standards.id'], name=op.f('fk_filing_materials_standard_id_standards')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_materials'))
    )
    with op.batch_alter_table('filing_materials', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_materials_application_id'), ['application_id'], unique=False)

    op.create_table('filing_occupations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('standard_id', sa.Integer(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('major', sa.String(length=200), nullable=False),
    sa.Column('formerly', sa.Boolean(), nullable=False),
    sa.Column('industry_standard', sa.String(length=200), nullable=False),
    sa.Column('renews_id', sa.Integer(), nullable=True),
    sa.Column('city_agrees', sa.Boolean(), nullable=True),
    sa.Column('city_note', sa.String(length=200), nullable=False),
    sa.Column('province_agrees', sa.Boolean(), nullable=True),
    sa.Column('province_note', sa.String(length=200), nullable=False),
    sa.Column('scope_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('level BETWEEN 1 AND 5', name=op.f('ck_filing_occupations_level')),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_filing_occupations_application_id_filing_applications')),
    sa.ForeignKeyConstraint(['renews_id'], ['filed_scopes.id'], name=op.f('fk_filing_occupations_renews_id_filed_scopes')),
    sa.ForeignKeyConstraint(['scope_id'], ['filed_scopes.id'], name=op.f('fk_filing_occupations_scope_id_filed_scopes')),
    sa.ForeignKeyConstraint(['standard_id'], ['standards.id'], name=op.f('fk_filing_occupations_standard_id_standards')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_occupations')),
    sa.UniqueConstraint('application_id', 'standard_id', 'level', name=op.f('uq_filing_occupations_application_id_standard_id_level'))
    )
    with op.batch_alter_table('filing_occupations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_occupations_application_id'), ['application_id'], unique=False)

    op.create_table('filing_removals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('scope_id', sa.Integer(), nullable=True),
    sa.Column('ground', sa.Enum('OWN_WILL', 'INACTIVE', 'VIOLATION', 'EVALUATION', name='ground', native_enum=False, length=12), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('PROPOSED', 'DONE', 'DISMISSED', name='removalstate', native_enum=False, length=12), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=False),
    sa.Column('proposed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_filing_removals_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_filing_removals_decided_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_filing_removals_institution_id_institutions')),
    sa.ForeignKeyConstraint(['proposed_by'], ['accounts.id'], name=op.f('fk_filing_removals_proposed_by_accounts')),
    sa.ForeignKeyConstraint(['scope_id'], ['filed_scopes.id'], name=op.f('fk_filing_removals_scope_id_filed_scopes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_removals'))
    )
    with op.batch_alter_table('filing_removals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_removals_institution_id'), ['institution_id'], unique=False)

    op.create_table('filing_rows',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=12), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=False),
    sa.Column('identity_cipher', sa.LargeBinary(), nullable=True),
    sa.Column('identity_hash', sa.String(length=64), nullable=True),
    sa.Column('identity_masked', sa.String(length=18), nullable=True),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_filing_rows_application_id_filing_applications')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_rows'))
    )
    with op.batch_alter_table('filing_rows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_rows_application_id'), ['application_id'], unique=False)

    op.create_table('pilot_evaluations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('verdict', sa.Enum('QUALIFIED', 'UNQUALIFIED', name='verdict', native_enum=False, length=12), nullable=False),
    sa.Column('sections', sa.JSON(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=True),
    sa.Column('written_by', sa.Integer(), nullable=False),
    sa.Column('written_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('reported_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('continues', sa.Boolean(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint('ends_on >= starts_on', name=op.f('ck_pilot_evaluations_period')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_pilot_evaluations_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_pilot_evaluations_decided_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_pilot_evaluations_institution_id_institutions')),
    sa.ForeignKeyConstraint(['written_by'], ['accounts.id'], name=op.f('fk_pilot_evaluations_written_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pilot_evaluations'))
    )
    with op.batch_alter_table('pilot_evaluations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pilot_evaluations_institution_id'), ['institution_id'], unique=False)

    op.create_table('plan_amendments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'CITY_FILED', 'APPROVED', 'RETURNED', name='planstate', native_enum=False, length=12), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('arrangement', sa.JSON(), nullable=False),
    sa.Column('started_by', sa.Integer(), nullable=False),
    sa.Column('started_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('submitted_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_plan_amendments_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['started_by'], ['accounts.id'], name=op.f('fk_plan_amendments_started_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_amendments')),
    sa.UniqueConstraint('plan_id', 'number', name=op.f('uq_plan_amendments_plan_id_number'))
    )
    with op.batch_alter_table('plan_amendments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_plan_amendments_plan_id'), ['plan_id'], unique=False)

    op.create_table('site_assessments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=False),
    sa.Column('visited_on', sa.Date(), nullable=False),
    sa.Column('members', sa.String(length=200), nullable=False),
    sa.Column('checks', sa.JSON(), nullable=False),
    sa.Column('opinion', sa.Text(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=True),
    sa.Column('recorded_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_site_assessments_application_id_filing_applications')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_site_assessments_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['recorded_by'], ['accounts.id'], name=op.f('fk_site_assessments_recorded_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_assessments'))
    )
    with op.batch_alter_table('site_assessments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_site_assessments_application_id'), ['application_id'], unique=False)

    op.create_table('amendment_decisions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('amendment_id', sa.Integer(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'CITY_FILED', 'APPROVED', 'RETURNED', name='planstate', native_enum=False, length=12), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['amendment_id'], ['plan_amendments.id'], name=op.f('fk_amendment_decisions_amendment_id_plan_amendments')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_amendment_decisions_decided_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_amendment_decisions'))
    )
    with op.batch_alter_table('amendment_decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_amendment_decisions_amendment_id'), ['amendment_id'], unique=False)

    op.create_table('archive_destructions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('pack_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'DONE', 'REFUSED', name='destructionstate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('destroyed', sa.JSON(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name=op.f('ck_archive_destructions_decided')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_archive_destructions_two_persons')),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_archive_destructions_asked_by_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_archive_destructions_decided_by_accounts')),
    sa.ForeignKeyConstraint(['pack_id'], ['archive_packs.id'], name=op.f('fk_archive_destructions_pack_id_archive_packs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archive_destructions'))
    )
    with op.batch_alter_table('archive_destructions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archive_destructions_pack_id'), ['pack_id'], unique=False)

    op.create_table('scope_events',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scope_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('PUBLISHED', 'RENEWED', 'CHANGED', 'ENDED', 'RESIGNED', 'LAPSED', 'CANCELLED', name='eventkind', native_enum=False, length=12), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('application_id', sa.Integer(), nullable=True),
    sa.Column('removal_id', sa.Integer(), nullable=True),
    sa.Column('report_id', sa.Integer(), nullable=True),
    sa.Column('by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['application_id'], ['filing_applications.id'], name=op.f('fk_scope_events_application_id_filing_applications')),
    sa.ForeignKeyConstraint(['by'], ['accounts.id'], name=op.f('fk_scope_events_by_accounts')),
    sa.ForeignKeyConstraint(['removal_id'], ['filing_removals.id'], name=op.f('fk_scope_events_removal_id_filing_removals')),
    sa.ForeignKeyConstraint(['report_id'], ['ministry_reports.id'], name=op.f('fk_scope_events_report_id_ministry_reports')),
    sa.ForeignKeyConstraint(['scope_id'], ['filed_scopes.id'], name=op.f('fk_scope_events_scope_id_filed_scopes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scope_events'))
    )
    with op.batch_alter_table('scope_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scope_events_report_id'), ['report_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_scope_events_scope_id'), ['scope_id'], unique=False)

    op.create_table('archive_videos',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('sitting_room_id', sa.Integer(), nullable=True),
    sa.Column('place', sa.String(length=200), nullable=False),
    sa.Column('starts_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('ends_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('path', sa.String(length=500), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('registered_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_archive_videos_span')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_archive_videos_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['registered_by'], ['accounts.id'], name=op.f('fk_archive_videos_registered_by_accounts')),
    sa.ForeignKeyConstraint(['sitting_room_id'], ['sitting_rooms.id'], name=op.f('fk_archive_videos_sitting_room_id_sitting_rooms')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archive_videos')),
    sa.UniqueConstraint('plan_id', 'path', name=op.f('uq_archive_videos_plan_id_path'))
    )
    with op.batch_alter_table('archive_videos', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archive_videos_plan_id'), ['plan_id'], unique=False)

    op.create_table('granted_numbers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=22), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['result_id'], ['results.id'], name=op.f('fk_granted_numbers_result_id_results')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_granted_numbers')),
    sa.UniqueConstraint('number', name=op.f('uq_granted_numbers_number')),
    sa.UniqueConstraint('result_id', name=op.f('uq_granted_numbers_result_id'))
    )
    op.create_table('archive_video_checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('video_id', sa.Integer(), nullable=False),
    sa.Column('found', sa.Enum('SAME', 'CHANGED', 'GONE', name='seen', native_enum=False, length=10), nullable=False),
    sa.Column('checked_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['checked_by'], ['accounts.id'], name=op.f('fk_archive_video_checks_checked_by_accounts')),
    sa.ForeignKeyConstraint(['video_id'], ['archive_videos.id'], name=op.f('fk_archive_video_checks_video_id_archive_videos')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archive_video_checks'))
    )
    with op.batch_alter_table('archive_video_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archive_video_checks_video_id'), ['video_id'], unique=False)

    with op.batch_alter_table('certificate_queries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_certificate_queries_at'))
        batch_op.drop_index(batch_op.f('ix_certificate_queries_subject'))

    op.drop_table('certificate_queries')
    with op.batch_alter_table('result_visits', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_result_visits_at'))

    op.drop_table('result_visits')
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('identity_kind', sa.Enum('RESIDENT', 'RESIDENCE_PERMIT', 'HONG_KONG_MACAO', 'TAIWAN', 'FOREIGNER', 'PASSPORT', 'OFFICER', name='identitykind', native_enum=False, length=20), server_default='RESIDENT', nullable=False))

    with op.batch_alter_table('archive_accesses', schema=None) as batch_op:
        batch_op.add_column(sa.Column('document_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_archive_accesses_document_id_archive_documents'), 'archive_documents', ['document_id'], ['id'])

    with op.batch_alter_table('archive_packs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('manifest', sa.String(length=64), server_default='', nullable=False))
        batch_op.add_column(sa.Column('signed_by', sa.String(length=64), server_default='', nullable=False))
        batch_op.add_column(sa.Column('paper_until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('destroyed_at', qbank.kernel.times.UtcDateTime(), nullable=True))

    with op.batch_alter_table('enrolments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('condition_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('facts', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('born', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('qualification', sa.Enum('PENDING', 'ACCEPTED', 'RETURNED', name='qualification', native_enum=False, length=10), server_default='ACCEPTED', nullable=False))
        batch_op.add_column(sa.Column('declared_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('declared_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_enrolments_student_number'), ['student_number'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_enrolments_condition_id_entry_conditions'), 'entry_conditions', ['condition_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_enrolments_declared_by_accounts'), 'accounts', ['declared_by'], ['id'])

    with op.batch_alter_table('exam_plans', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ends_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('arrangement', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('measures', sa.Text(), server_default='', nullable=False))

    with op.batch_alter_table('misconducts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('incident_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('told_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('told_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('term_ends_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('statement', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('stated_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('stated_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('statement_file_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_incident_id_incidents'), 'incidents', ['incident_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_stated_by_accounts'), 'accounts', ['stated_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_statement_file_id_attachments'), 'attachments', ['statement_file_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_told_by_accounts'), 'accounts', ['told_by'], ['id'])

    with op.batch_alter_table('roster_imports', schema=None) as batch_op:
        batch_op.add_column(sa.Column('defaults', sa.JSON(), server_default='{}', nullable=False))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
