"""the certification office."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times
from qbank.kernel.migrations import data_0006

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

    op.create_table('api_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('hint', sa.String(length=12), nullable=False),
    sa.Column('reads', sa.JSON(), nullable=False),
    sa.Column('region', sa.String(length=6), nullable=True),
    sa.Column('institution_id', sa.Integer(), nullable=True),
    sa.Column('issued_by', sa.Integer(), nullable=False),
    sa.Column('issued_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('expires_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('revoked_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('revoked_by', sa.Integer(), nullable=True),
    sa.Column('revoke_reason', sa.String(length=200), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason = '')", name=op.f('ck_api_tokens_revoked')),
    sa.CheckConstraint('(region IS NULL) <> (institution_id IS NULL)', name=op.f('ck_api_tokens_bound')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_api_tokens_institution_id_institutions')),
    sa.ForeignKeyConstraint(['issued_by'], ['accounts.id'], name=op.f('fk_api_tokens_issued_by_accounts')),
    sa.ForeignKeyConstraint(['revoked_by'], ['accounts.id'], name=op.f('fk_api_tokens_revoked_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_api_tokens_secret_hash'))
    )
    op.create_table('check_templates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('region', sa.String(length=6), nullable=False),
    sa.Column('kind', sa.Enum('DAILY', 'EVALUATION', 'SITE', 'SPOT', name='inspectionkind', native_enum=False), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('retired_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['accounts.id'], name=op.f('fk_check_templates_made_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_templates')),
    sa.UniqueConstraint('region', 'kind', 'number', name=op.f('uq_check_templates_region_kind_number'))
    )
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
    op.create_table('oversight_recusals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('declared_by', sa.Integer(), nullable=False),
    sa.Column('declared_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('ended_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.CheckConstraint("reason <> ''", name=op.f('ck_oversight_recusals_reason')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_oversight_recusals_account_id_accounts')),
    sa.ForeignKeyConstraint(['declared_by'], ['accounts.id'], name=op.f('fk_oversight_recusals_declared_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_oversight_recusals_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oversight_recusals'))
    )
    with op.batch_alter_table('oversight_recusals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oversight_recusals_account_id'), ['account_id'], unique=False)

    op.create_table('report_layouts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('layout', sa.JSON(), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_report_layouts_institution_id_institutions')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_report_layouts_set_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_layouts'))
    )
    with op.batch_alter_table('report_layouts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_layouts_institution_id'), ['institution_id'], unique=False)

    op.create_table('stock_counts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('counted', sa.Integer(), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('witness', sa.String(length=200), nullable=False),
    sa.Column('counted_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint("counted = expected OR explanation <> ''", name=op.f('ck_stock_counts_explained')),
    sa.ForeignKeyConstraint(['counted_by'], ['accounts.id'], name=op.f('fk_stock_counts_counted_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_stock_counts_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_counts'))
    )
    with op.batch_alter_table('stock_counts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_counts_institution_id'), ['institution_id'], unique=False)

    op.create_table('stock_moves',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('RECEIVED', 'SPOILED', 'RETURNED', name='movekind', native_enum=False, length=10), nullable=False),
    sa.Column('first', sa.String(length=30), nullable=False),
    sa.Column('last', sa.String(length=30), nullable=False),
    sa.Column('pieces', sa.Integer(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'DONE', 'REFUSED', name='movestate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind <> 'SPOILED' OR state <> 'DONE' OR decided_by IS NOT NULL", name=op.f('ck_stock_moves_spoiled_by_two')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_stock_moves_two_persons')),
    sa.CheckConstraint('pieces > 0', name=op.f('ck_stock_moves_pieces')),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_stock_moves_asked_by_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_stock_moves_decided_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_stock_moves_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_moves'))
    )
    with op.batch_alter_table('stock_moves', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_moves_institution_id'), ['institution_id'], unique=False)

    op.create_table('api_token_uses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_id', sa.Integer(), nullable=False),
    sa.Column('began_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('last_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('requests', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['token_id'], ['api_tokens.id'], name=op.f('fk_api_token_uses_token_id_api_tokens')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token_uses'))
    )
    with op.batch_alter_table('api_token_uses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_uses_token_id'), ['token_id'], unique=False)

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

    op.create_table('check_points',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('section', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('severity', sa.Enum('MINOR', 'MAJOR', 'GRAVE', name='severity', native_enum=False, length=10), nullable=False),
    sa.ForeignKeyConstraint(['template_id'], ['check_templates.id'], name=op.f('fk_check_points_template_id_check_templates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_points')),
    sa.UniqueConstraint('template_id', 'place', name=op.f('uq_check_points_template_id_place'))
    )
    with op.batch_alter_table('check_points', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_check_points_template_id'), ['template_id'], unique=False)

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

    op.create_table('inspection_draws',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('region', sa.String(length=6), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.Enum('DAILY', 'EVALUATION', 'SITE', 'SPOT', name='inspectionkind', native_enum=False), nullable=False),
    sa.Column('target_kind', sa.Enum('SCHOOL', 'PLAN', 'SITTING', name='targetkind', native_enum=False, length=10), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('pool', sa.Text(), nullable=False),
    sa.Column('pool_sha256', sa.String(length=64), nullable=False),
    sa.Column('seed', sa.String(length=120), nullable=False),
    sa.Column('outcome_sha256', sa.String(length=64), nullable=False),
    sa.Column('witness', sa.String(length=200), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=False),
    sa.Column('drawn_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('cancelled_by', sa.Integer(), nullable=True),
    sa.Column('cancelled_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('cancel_reason', sa.Text(), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=True),
    sa.Column('published_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(cancelled_at IS NULL) = (cancel_reason = '')", name=op.f('ck_inspection_draws_cancelled')),
    sa.CheckConstraint('last_day >= first_day', name=op.f('ck_inspection_draws_days')),
    sa.ForeignKeyConstraint(['cancelled_by'], ['accounts.id'], name=op.f('fk_inspection_draws_cancelled_by_accounts')),
    sa.ForeignKeyConstraint(['drawn_by'], ['accounts.id'], name=op.f('fk_inspection_draws_drawn_by_accounts')),
    sa.ForeignKeyConstraint(['published_by'], ['accounts.id'], name=op.f('fk_inspection_draws_published_by_accounts')),
    sa.ForeignKeyConstraint(['template_id'], ['check_templates.id'], name=op.f('fk_inspection_draws_template_id_check_templates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspection_draws')),
    sa.UniqueConstraint('number', name=op.f('uq_inspection_draws_number'))
    )
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

    op.create_table('ticket_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_ticket_files_account_id_accounts')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_ticket_files_plan_id_exam_plans')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_files'))
    )
    with op.batch_alter_table('ticket_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_files_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_files_plan_id'), ['plan_id'], unique=False)

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

    op.create_table('entry_proofs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_entry_proofs_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_entry_proofs_enrolment_id_enrolments')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_proofs')),
    sa.UniqueConstraint('enrolment_id', 'attachment_id', name=op.f('uq_entry_proofs_enrolment_id_attachment_id'))
    )
    with op.batch_alter_table('entry_proofs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_proofs_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('inspections',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.Enum('DAILY', 'EVALUATION', 'SITE', 'SPOT', name='inspectionkind', native_enum=False), nullable=False),
    sa.Column('target_kind', sa.Enum('SCHOOL', 'PLAN', 'SITTING', name='targetkind', native_enum=False, length=10), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=True),
    sa.Column('sitting_id', sa.Integer(), nullable=True),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('draw_id', sa.Integer(), nullable=True),
    sa.Column('place', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('ASSIGNED', 'RUNNING', 'SUBMITTED', 'CANCELLED', name='inspectionstate', native_enum=False, length=10), nullable=False),
    sa.Column('assigned_by', sa.Integer(), nullable=False),
    sa.Column('assigned_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('started_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('submitted_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('submitted_by', sa.Integer(), nullable=True),
    sa.Column('conclusion', sa.Text(), nullable=False),
    sa.Column('cancel_reason', sa.Text(), nullable=False),
    sa.Column('published_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(cancel_reason <> '') = (state = 'CANCELLED')", name=op.f('ck_inspections_cancelled')),
    sa.CheckConstraint("(submitted_at IS NOT NULL) = (state = 'SUBMITTED')", name=op.f('ck_inspections_submitted')),
    sa.CheckConstraint('sitting_id IS NULL OR plan_id IS NOT NULL', name=op.f('ck_inspections_sitting_of_plan')),
    sa.ForeignKeyConstraint(['assigned_by'], ['accounts.id'], name=op.f('fk_inspections_assigned_by_accounts')),
    sa.ForeignKeyConstraint(['draw_id'], ['inspection_draws.id'], name=op.f('fk_inspections_draw_id_inspection_draws')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_inspections_institution_id_institutions')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_inspections_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_inspections_sitting_id_sittings')),
    sa.ForeignKeyConstraint(['submitted_by'], ['accounts.id'], name=op.f('fk_inspections_submitted_by_accounts')),
    sa.ForeignKeyConstraint(['template_id'], ['check_templates.id'], name=op.f('fk_inspections_template_id_check_templates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspections')),
    sa.UniqueConstraint('number', name=op.f('uq_inspections_number'))
    )
    with op.batch_alter_table('inspections', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inspections_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inspections_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inspections_plan_id'), ['plan_id'], unique=False)

    op.create_table('qualification_checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Enum('PENDING', 'ACCEPTED', 'RETURNED', name='qualification', native_enum=False, length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('condition', sa.Text(), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('checked_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['checked_by'], ['accounts.id'], name=op.f('fk_qualification_checks_checked_by_accounts')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_qualification_checks_enrolment_id_enrolments')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_qualification_checks'))
    )
    with op.batch_alter_table('qualification_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_qualification_checks_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('report_batches',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('list_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('NEW', 'RESENT', 'CHANGED', name='batchkind', native_enum=False, length=10), nullable=False),
    sa.Column('layout', sa.JSON(), nullable=False),
    sa.Column('file_cipher', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['list_id'], ['result_lists.id'], name=op.f('fk_report_batches_list_id_result_lists')),
    sa.ForeignKeyConstraint(['made_by'], ['accounts.id'], name=op.f('fk_report_batches_made_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_batches')),
    sa.UniqueConstraint('list_id', 'number', name=op.f('uq_report_batches_list_id_number'))
    )
    with op.batch_alter_table('report_batches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_batches_list_id'), ['list_id'], unique=False)

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

    op.create_table('check_answers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inspection_id', sa.Integer(), nullable=False),
    sa.Column('point_id', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Enum('FITS', 'FAILS', 'NOT_APPLICABLE', name='verdict', native_enum=False, length=16), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['answered_by'], ['accounts.id'], name=op.f('fk_check_answers_answered_by_accounts')),
    sa.ForeignKeyConstraint(['inspection_id'], ['inspections.id'], name=op.f('fk_check_answers_inspection_id_inspections')),
    sa.ForeignKeyConstraint(['point_id'], ['check_points.id'], name=op.f('fk_check_answers_point_id_check_points')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_answers')),
    sa.UniqueConstraint('inspection_id', 'point_id', name=op.f('uq_check_answers_inspection_id_point_id'))
    )
    with op.batch_alter_table('check_answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_check_answers_inspection_id'), ['inspection_id'], unique=False)

    op.create_table('findings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inspection_id', sa.Integer(), nullable=False),
    sa.Column('point_id', sa.Integer(), nullable=True),
    sa.Column('severity', sa.Enum('MINOR', 'MAJOR', 'GRAVE', name='severity', native_enum=False, length=10), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('demand', sa.Text(), nullable=False),
    sa.Column('recorded_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('state', sa.Enum('OPEN', 'REPLIED', 'CLOSED', 'WITHDRAWN', name='findingstate', native_enum=False, length=10), nullable=False),
    sa.Column('ended_by', sa.Integer(), nullable=True),
    sa.Column('ended_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('end_note', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('CLOSED', 'WITHDRAWN'))", name=op.f('ck_findings_ended')),
    sa.ForeignKeyConstraint(['ended_by'], ['accounts.id'], name=op.f('fk_findings_ended_by_accounts')),
    sa.ForeignKeyConstraint(['inspection_id'], ['inspections.id'], name=op.f('fk_findings_inspection_id_inspections')),
    sa.ForeignKeyConstraint(['point_id'], ['check_points.id'], name=op.f('fk_findings_point_id_check_points')),
    sa.ForeignKeyConstraint(['recorded_by'], ['accounts.id'], name=op.f('fk_findings_recorded_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_findings'))
    )
    with op.batch_alter_table('findings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_findings_inspection_id'), ['inspection_id'], unique=False)

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
    op.create_table('inspection_members',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inspection_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('leads', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_inspection_members_account_id_accounts')),
    sa.ForeignKeyConstraint(['inspection_id'], ['inspections.id'], name=op.f('fk_inspection_members_inspection_id_inspections')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspection_members')),
    sa.UniqueConstraint('inspection_id', 'account_id', name=op.f('uq_inspection_members_inspection_id_account_id'))
    )
    with op.batch_alter_table('inspection_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inspection_members_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inspection_members_inspection_id'), ['inspection_id'], unique=False)

    op.create_table('report_receipts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('accepted', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('problems', sa.JSON(), nullable=False),
    sa.Column('read_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['report_batches.id'], name=op.f('fk_report_receipts_batch_id_report_batches')),
    sa.ForeignKeyConstraint(['read_by'], ['accounts.id'], name=op.f('fk_report_receipts_read_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_receipts'))
    )
    with op.batch_alter_table('report_receipts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_receipts_batch_id'), ['batch_id'], unique=False)

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

    op.create_table('certificate_blanks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=30), nullable=False),
    sa.Column('state', sa.Enum('IN_STOCK', 'USED', 'SPOILED', 'RETURNED', name='blankstate', native_enum=False, length=10), nullable=False),
    sa.Column('received_id', sa.Integer(), nullable=False),
    sa.Column('left_id', sa.Integer(), nullable=True),
    sa.Column('certificate_id', sa.Integer(), nullable=True),
    sa.Column('used_by', sa.Integer(), nullable=True),
    sa.Column('used_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state IN ('SPOILED', 'RETURNED')) = (left_id IS NOT NULL)", name=op.f('ck_certificate_blanks_left')),
    sa.CheckConstraint("state <> 'USED' OR certificate_id IS NOT NULL", name=op.f('ck_certificate_blanks_used')),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificates.id'], name=op.f('fk_certificate_blanks_certificate_id_certificates')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_certificate_blanks_institution_id_institutions')),
    sa.ForeignKeyConstraint(['left_id'], ['stock_moves.id'], name=op.f('fk_certificate_blanks_left_id_stock_moves')),
    sa.ForeignKeyConstraint(['received_id'], ['stock_moves.id'], name=op.f('fk_certificate_blanks_received_id_stock_moves')),
    sa.ForeignKeyConstraint(['used_by'], ['accounts.id'], name=op.f('fk_certificate_blanks_used_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_blanks')),
    sa.UniqueConstraint('institution_id', 'number', name=op.f('uq_certificate_blanks_institution_id_number'))
    )
    with op.batch_alter_table('certificate_blanks', schema=None) as batch_op:
        batch_op.create_index('ix_certificate_blanks_one_for_each', ['certificate_id'], unique=True, sqlite_where=sa.text("state = 'USED'"), postgresql_where=sa.text("state = 'USED'"))
        batch_op.create_index(batch_op.f('ix_certificate_blanks_received_id'), ['received_id'], unique=False)

    op.create_table('finding_replies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('finding_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('replied_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('judged_by', sa.Integer(), nullable=True),
    sa.Column('judged_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.CheckConstraint('(judged_at IS NULL) = (accepted IS NULL)', name=op.f('ck_finding_replies_judged')),
    sa.ForeignKeyConstraint(['finding_id'], ['findings.id'], name=op.f('fk_finding_replies_finding_id_findings')),
    sa.ForeignKeyConstraint(['judged_by'], ['accounts.id'], name=op.f('fk_finding_replies_judged_by_accounts')),
    sa.ForeignKeyConstraint(['replied_by'], ['accounts.id'], name=op.f('fk_finding_replies_replied_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding_replies'))
    )
    with op.batch_alter_table('finding_replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_finding_replies_finding_id'), ['finding_id'], unique=False)

    op.create_table('report_lines',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('certificate_id', sa.Integer(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('SENT', 'ACCEPTED', 'REJECTED', name='linestate', native_enum=False, length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('receipt_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("(state = 'SENT') = (receipt_id IS NULL)", name=op.f('ck_report_lines_answered')),
    sa.ForeignKeyConstraint(['batch_id'], ['report_batches.id'], name=op.f('fk_report_lines_batch_id_report_batches')),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificates.id'], name=op.f('fk_report_lines_certificate_id_certificates')),
    sa.ForeignKeyConstraint(['receipt_id'], ['report_receipts.id'], name=op.f('fk_report_lines_receipt_id_report_receipts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_lines')),
    sa.UniqueConstraint('batch_id', 'certificate_id', name=op.f('uq_report_lines_batch_id_certificate_id'))
    )
    with op.batch_alter_table('report_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_lines_certificate_id'), ['certificate_id'], unique=False)

    op.create_table('staff_cases',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=True),
    sa.Column('finding_id', sa.Integer(), nullable=True),
    sa.Column('duty', sa.String(length=200), nullable=False),
    sa.Column('tier', sa.String(length=200), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('bar_months', sa.Integer(), nullable=False),
    sa.Column('barred_until', sa.Date(), nullable=True),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN', name='casestate', native_enum=False, length=10), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=False),
    sa.Column('proposed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('told_by', sa.Integer(), nullable=True),
    sa.Column('told_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('term_ends_on', sa.Date(), nullable=True),
    sa.Column('statement', sa.Text(), server_default='', nullable=False),
    sa.Column('stated_by', sa.Integer(), nullable=True),
    sa.Column('stated_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('statement_file_id', sa.Integer(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name=op.f('ck_staff_cases_decided')),
    sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name=op.f('ck_staff_cases_second_person')),
    sa.CheckConstraint("evidence <> ''", name=op.f('ck_staff_cases_evidence')),
    sa.CheckConstraint("state <> 'APPROVED' OR told_at IS NOT NULL", name=op.f('ck_staff_cases_told')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> account_id', name=op.f('ck_staff_cases_not_oneself')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_staff_cases_account_id_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_staff_cases_decided_by_accounts')),
    sa.ForeignKeyConstraint(['file_id'], ['attachments.id'], name=op.f('fk_staff_cases_file_id_attachments')),
    sa.ForeignKeyConstraint(['finding_id'], ['findings.id'], name=op.f('fk_staff_cases_finding_id_findings')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_staff_cases_institution_id_institutions')),
    sa.ForeignKeyConstraint(['plan_id'], ['exam_plans.id'], name=op.f('fk_staff_cases_plan_id_exam_plans')),
    sa.ForeignKeyConstraint(['proposed_by'], ['accounts.id'], name=op.f('fk_staff_cases_proposed_by_accounts')),
    sa.ForeignKeyConstraint(['stated_by'], ['accounts.id'], name=op.f('fk_staff_cases_stated_by_accounts')),
    sa.ForeignKeyConstraint(['statement_file_id'], ['attachments.id'], name=op.f('fk_staff_cases_statement_file_id_attachments')),
    sa.ForeignKeyConstraint(['told_by'], ['accounts.id'], name=op.f('fk_staff_cases_told_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_cases'))
    )
    with op.batch_alter_table('staff_cases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_cases_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_cases_institution_id'), ['institution_id'], unique=False)

    op.create_table('oversight_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('attachment_id', sa.Integer(), nullable=False),
    sa.Column('inspection_id', sa.Integer(), nullable=True),
    sa.Column('finding_id', sa.Integer(), nullable=True),
    sa.Column('reply_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('CASE WHEN inspection_id IS NULL THEN 0 ELSE 1 END + CASE WHEN finding_id IS NULL THEN 0 ELSE 1 END + CASE WHEN reply_id IS NULL THEN 0 ELSE 1 END = 1', name=op.f('ck_oversight_files_one_owner')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachments.id'], name=op.f('fk_oversight_files_attachment_id_attachments')),
    sa.ForeignKeyConstraint(['finding_id'], ['findings.id'], name=op.f('fk_oversight_files_finding_id_findings')),
    sa.ForeignKeyConstraint(['inspection_id'], ['inspections.id'], name=op.f('fk_oversight_files_inspection_id_inspections')),
    sa.ForeignKeyConstraint(['reply_id'], ['finding_replies.id'], name=op.f('fk_oversight_files_reply_id_finding_replies')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oversight_files'))
    )
    with op.batch_alter_table('oversight_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oversight_files_finding_id'), ['finding_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_oversight_files_inspection_id'), ['inspection_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_oversight_files_reply_id'), ['reply_id'], unique=False)

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

    with op.batch_alter_table('certificates', schema=None) as batch_op:
        batch_op.add_column(sa.Column('identity_kind', sa.String(length=200), server_default='居民身份证', nullable=False))

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

    with op.batch_alter_table('mark_sheets', schema=None) as batch_op:
        batch_op.add_column(sa.Column('audit_head', sa.String(length=64), server_default='', nullable=False))

    with op.batch_alter_table('misconducts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('incident_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('told_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('told_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('term_ends_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('statement', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('stated_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('stated_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('statement_file_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_told_by_accounts'), 'accounts', ['told_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_incident_id_incidents'), 'incidents', ['incident_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_statement_file_id_attachments'), 'attachments', ['statement_file_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_misconducts_stated_by_accounts'), 'accounts', ['stated_by'], ['id'])

    with op.batch_alter_table('review_panels', schema=None) as batch_op:
        batch_op.add_column(sa.Column('audit_head', sa.String(length=64), server_default='', nullable=False))

    with op.batch_alter_table('roster_imports', schema=None) as batch_op:
        batch_op.add_column(sa.Column('defaults', sa.JSON(), server_default='{}', nullable=False))
    data_0006.after(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
