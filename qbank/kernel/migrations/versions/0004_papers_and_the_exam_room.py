"""papers and the exam room."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times
from qbank.kernel.migrations import data_0004

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('candidate_photos',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_candidate_photos_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidate_photos'))
    )
    with op.batch_alter_table('candidate_photos', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_candidate_photos_sha256'), ['sha256'], unique=False)

    op.create_table('attachments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('uploaded_by', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['uploaded_by'], ['accounts.id'], name=op.f('fk_attachments_uploaded_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachments'))
    )
    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attachments_sha256'), ['sha256'], unique=False)

    op.create_table('markers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('is_chief', sa.Boolean(), server_default='0', nullable=False),
    sa.Column('classes', sa.JSON(), nullable=False),
    sa.Column('appointed_by', sa.Integer(), nullable=False),
    sa.Column('appointed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('paused_reason', sa.Text(), server_default='', nullable=False),
    sa.Column('released_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_markers_account_id_accounts')),
    sa.ForeignKeyConstraint(['appointed_by'], ['accounts.id'], name=op.f('fk_markers_appointed_by_accounts')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_markers_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_markers')),
    sa.UniqueConstraint('sitting_id', 'account_id', name=op.f('uq_markers_sitting_id_account_id'))
    )
    with op.batch_alter_table('markers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_markers_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_markers_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('paper_families',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('specification_id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=True),
    sa.Column('forms', sa.Integer(), nullable=False),
    sa.Column('is_pool', sa.Boolean(), server_default='0', nullable=False),
    sa.Column('breaks', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.Column('composer_id', sa.Integer(), nullable=False),
    sa.Column('created_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['composer_id'], ['accounts.id'], name=op.f('fk_paper_families_composer_id_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_paper_families_institution_id_institutions')),
    sa.ForeignKeyConstraint(['specification_id'], ['specifications.id'], name=op.f('fk_paper_families_specification_id_specifications')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_families'))
    )
    with op.batch_alter_table('paper_families', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_families_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_paper_families_specification_id'), ['specification_id'], unique=False)

    op.create_table('rehearsals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('well', sa.Boolean(), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_rehearsals_asked_by_accounts')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_rehearsals_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rehearsals'))
    )
    with op.batch_alter_table('rehearsals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rehearsals_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('sitting_pictures',
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('picture_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['pictures.id'], name=op.f('fk_sitting_pictures_picture_id_pictures')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_sitting_pictures_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('sitting_id', 'picture_id', name=op.f('pk_sitting_pictures'))
    )
    op.create_table('admission_checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_room_id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('passed', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('photo', sa.String(length=64), nullable=False),
    sa.Column('checked_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['checked_by'], ['accounts.id'], name=op.f('fk_admission_checks_checked_by_accounts')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_admission_checks_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['sitting_room_id'], ['sitting_rooms.id'], name=op.f('fk_admission_checks_sitting_room_id_sitting_rooms')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_admission_checks'))
    )
    with op.batch_alter_table('admission_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_admission_checks_enrolment_id'), ['enrolment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_admission_checks_sitting_room_id'), ['sitting_room_id'], unique=False)

    op.create_table('credits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enrolment_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=8), nullable=False),
    sa.Column('source', sa.Enum('EXAM', 'SUBSTITUTE', 'COMPETITION', 'CARRIED', name='source', native_enum=False, length=12), nullable=False),
    sa.Column('half_points', sa.Integer(), nullable=False),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('achieved_on', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('evidence_id', sa.Integer(), nullable=True),
    sa.Column('origin_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN', name='creditstate', native_enum=False, length=10), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=False),
    sa.Column('proposed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(source = 'CARRIED') = (origin_id IS NOT NULL)", name=op.f('ck_credits_origin')),
    sa.CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name=op.f('ck_credits_decided')),
    sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by OR state = 'WITHDRAWN'", name=op.f('ck_credits_second_person')),
    sa.CheckConstraint("part IN ('理论知识', '操作技能', '综合评审')", name=op.f('ck_credits_part')),
    sa.CheckConstraint("source = 'CARRIED' OR evidence_id IS NOT NULL", name=op.f('ck_credits_evidence')),
    sa.CheckConstraint('half_points BETWEEN 0 AND 200', name=op.f('ck_credits_half_points')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_credits_decided_by_accounts')),
    sa.ForeignKeyConstraint(['enrolment_id'], ['enrolments.id'], name=op.f('fk_credits_enrolment_id_enrolments')),
    sa.ForeignKeyConstraint(['evidence_id'], ['attachments.id'], name=op.f('fk_credits_evidence_id_attachments')),
    sa.ForeignKeyConstraint(['origin_id'], ['results.id'], name=op.f('fk_credits_origin_id_results')),
    sa.ForeignKeyConstraint(['proposed_by'], ['accounts.id'], name=op.f('fk_credits_proposed_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credits'))
    )
    with op.batch_alter_table('credits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_credits_enrolment_id'), ['enrolment_id'], unique=False)

    op.create_table('item_cases',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('reported_by', sa.Integer(), nullable=False),
    sa.Column('reported_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('state', sa.Enum('REPORTED', 'PREVIEWED', 'APPROVED', 'DONE', 'WITHDRAWN', name='casestate', native_enum=False, length=10), nullable=False),
    sa.Column('remedy', sa.Enum('NEW_KEY', 'SEVERAL_KEYS', 'FULL_MARKS', 'REMOVED', name='remedy', native_enum=False, length=14), nullable=True),
    sa.Column('keys', sa.JSON(), nullable=False),
    sa.Column('rescaled', sa.Boolean(), nullable=True),
    sa.Column('proposed_by', sa.Integer(), nullable=True),
    sa.Column('preview', sa.JSON(), nullable=False),
    sa.Column('scored', sa.Integer(), nullable=False),
    sa.Column('previewed_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('done_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_item_cases_institution_id_institutions')),
    sa.ForeignKeyConstraint(['proposed_by'], ['accounts.id'], name=op.f('fk_item_cases_proposed_by_accounts')),
    sa.ForeignKeyConstraint(['reported_by'], ['accounts.id'], name=op.f('fk_item_cases_reported_by_accounts')),
    sa.ForeignKeyConstraint(['version_id'], ['item_versions.id'], name=op.f('fk_item_cases_version_id_item_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_cases'))
    )
    with op.batch_alter_table('item_cases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_item_cases_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_item_cases_version_id'), ['version_id'], unique=False)

    op.create_table('key_checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('checked_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['checked_by'], ['accounts.id'], name=op.f('fk_key_checks_checked_by_accounts')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_key_checks_sitting_id_sittings')),
    sa.ForeignKeyConstraint(['version_id'], ['item_versions.id'], name=op.f('fk_key_checks_version_id_item_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_key_checks')),
    sa.UniqueConstraint('sitting_id', 'version_id', name=op.f('uq_key_checks_sitting_id_version_id'))
    )
    op.create_table('paper_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.Column('action', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('undone', sa.Boolean(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_paper_changes_account_id_accounts')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_paper_changes_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_changes'))
    )
    with op.batch_alter_table('paper_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_changes_paper_id'), ['paper_id'], unique=False)

    op.create_table('paper_looks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('what', sa.String(length=20), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_paper_looks_account_id_accounts')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_paper_looks_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_looks'))
    )
    with op.batch_alter_table('paper_looks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_looks_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_paper_looks_paper_id'), ['paper_id'], unique=False)

    op.create_table('paper_openings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('whole_family', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('opens_from', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('valid_until', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('needed', sa.Integer(), nullable=False),
    sa.Column('opened_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.CheckConstraint('opens_from < valid_until', name=op.f('ck_paper_openings_window')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_paper_openings_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_openings'))
    )
    with op.batch_alter_table('paper_openings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_openings_paper_id'), ['paper_id'], unique=False)

    op.create_table('paper_prints',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('key_name', sa.String(length=16), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_paper_prints_account_id_accounts')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_paper_prints_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_prints'))
    )
    with op.batch_alter_table('paper_prints', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_prints_paper_id'), ['paper_id'], unique=False)

    op.create_table('sealed_packs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('directory', sa.LargeBinary(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('key_name', sa.String(length=16), nullable=False),
    sa.Column('sealed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_sealed_packs_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sealed_packs')),
    sa.UniqueConstraint('paper_id', name=op.f('uq_sealed_packs_paper_id'))
    )
    op.create_table('sitting_papers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_sitting_papers_paper_id_papers')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_sitting_papers_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting_papers')),
    sa.UniqueConstraint('sitting_id', 'paper_id', name=op.f('uq_sitting_papers_sitting_id_paper_id'))
    )
    with op.batch_alter_table('sitting_papers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sitting_papers_paper_id'), ['paper_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sitting_papers_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('written_questions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('half_points', sa.Integer(), nullable=False),
    sa.Column('signed_by', sa.Integer(), nullable=True),
    sa.Column('signed_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['signed_by'], ['accounts.id'], name=op.f('fk_written_questions_signed_by_accounts')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_written_questions_sitting_id_sittings')),
    sa.ForeignKeyConstraint(['version_id'], ['item_versions.id'], name=op.f('fk_written_questions_version_id_item_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_written_questions')),
    sa.UniqueConstraint('sitting_id', 'version_id', 'half_points', name=op.f('uq_written_questions_sitting_id_version_id_half_points'))
    )
    with op.batch_alter_table('written_questions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_written_questions_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('answer_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('events', sa.JSON(), nullable=False),
    sa.Column('page_generation', sa.BigInteger(), nullable=False),
    sa.Column('proven', sa.Boolean(), nullable=False),
    sa.Column('made_at', sa.String(length=200), nullable=False),
    sa.Column('uploaded_by', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('state', sa.Enum('UPLOADED', 'TAKEN', 'REJECTED', name='filestate', native_enum=False, length=10), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('outcome', sa.JSON(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'UPLOADED') = (decided_at IS NULL)", name=op.f('ck_answer_files_decided')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_answer_files_decided_by_accounts')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_answer_files_sheet_id_sheets')),
    sa.ForeignKeyConstraint(['uploaded_by'], ['accounts.id'], name=op.f('fk_answer_files_uploaded_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_files')),
    sa.UniqueConstraint('sheet_id', 'digest', name=op.f('uq_answer_files_sheet_id_digest'))
    )
    with op.batch_alter_table('answer_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answer_files_sheet_id'), ['sheet_id'], unique=False)

    op.create_table('case_approvals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('approves', sa.Boolean(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('previewed_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_case_approvals_account_id_accounts')),
    sa.ForeignKeyConstraint(['case_id'], ['item_cases.id'], name=op.f('fk_case_approvals_case_id_item_cases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_approvals'))
    )
    with op.batch_alter_table('case_approvals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_approvals_case_id'), ['case_id'], unique=False)

    op.create_table('interruptions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('lost_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('back_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('settled_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_interruptions_sheet_id_sheets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_interruptions'))
    )
    with op.batch_alter_table('interruptions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_interruptions_sheet_id'), ['sheet_id'], unique=False)

    op.create_table('notices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_room_id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('posted_by', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['posted_by'], ['accounts.id'], name=op.f('fk_notices_posted_by_accounts')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_notices_sheet_id_sheets')),
    sa.ForeignKeyConstraint(['sitting_room_id'], ['sitting_rooms.id'], name=op.f('fk_notices_sitting_room_id_sitting_rooms')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices'))
    )
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notices_sitting_room_id'), ['sitting_room_id'], unique=False)

    op.create_table('opening_persons',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('opening_id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_opening_persons_account_id_accounts')),
    sa.ForeignKeyConstraint(['opening_id'], ['paper_openings.id'], name=op.f('fk_opening_persons_opening_id_paper_openings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opening_persons')),
    sa.UniqueConstraint('opening_id', 'account_id', name=op.f('uq_opening_persons_opening_id_account_id'))
    )
    op.create_table('score_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=True),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('before', sa.Integer(), nullable=False),
    sa.Column('after', sa.Integer(), nullable=False),
    sa.Column('earned_before', sa.JSON(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['item_cases.id'], name=op.f('fk_score_changes_case_id_item_cases')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_score_changes_sheet_id_sheets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_score_changes')),
    sa.UniqueConstraint('case_id', 'sheet_id', name=op.f('uq_score_changes_case_id_sheet_id'))
    )
    with op.batch_alter_table('score_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_score_changes_sheet_id'), ['sheet_id'], unique=False)

    op.create_table('scripts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=False),
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=8), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('half_points', sa.Integer(), nullable=True),
    sa.Column('how', sa.Enum('BLANK', 'PAIR', 'THIRD', 'CHIEF', 'SEED', name='settled', native_enum=False, length=10), nullable=True),
    sa.Column('settled_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint('(half_points IS NULL) = (how IS NULL)', name=op.f('ck_scripts_settled')),
    sa.ForeignKeyConstraint(['question_id'], ['written_questions.id'], name=op.f('fk_scripts_question_id_written_questions')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_scripts_sheet_id_sheets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scripts')),
    sa.UniqueConstraint('question_id', 'code', name=op.f('uq_scripts_question_id_code')),
    sa.UniqueConstraint('question_id', 'sheet_id', name=op.f('uq_scripts_question_id_sheet_id'))
    )
    with op.batch_alter_table('scripts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scripts_sheet_id'), ['sheet_id'], unique=False)

    op.create_table('sheet_bodies',
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('checksum', sa.BigInteger(), nullable=False),
    sa.Column('length', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.id'], name=op.f('fk_sheet_bodies_sheet_id_sheets')),
    sa.PrimaryKeyConstraint('sheet_id', name=op.f('pk_sheet_bodies'))
    )
    op.create_table('incident_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_incident_files_incident_id_incidents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_files'))
    )
    with op.batch_alter_table('incident_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_incident_files_incident_id'), ['incident_id'], unique=False)

    op.create_table('marking_tasks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('script_id', sa.Integer(), nullable=False),
    sa.Column('marker_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('FIRST', 'SECOND', 'THIRD', 'SEED', name='taskkind', native_enum=False, length=8), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('cancelled_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['marker_id'], ['markers.id'], name=op.f('fk_marking_tasks_marker_id_markers')),
    sa.ForeignKeyConstraint(['script_id'], ['scripts.id'], name=op.f('fk_marking_tasks_script_id_scripts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_marking_tasks')),
    sa.UniqueConstraint('script_id', 'marker_id', name=op.f('uq_marking_tasks_script_id_marker_id'))
    )
    with op.batch_alter_table('marking_tasks', schema=None) as batch_op:
        batch_op.create_index('ix_marking_tasks_queue', ['marker_id', 'place'], unique=False)

    op.create_table('script_marks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('script_id', sa.Integer(), nullable=False),
    sa.Column('task_id', sa.Integer(), nullable=True),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('steps', sa.JSON(), nullable=False),
    sa.Column('half_points', sa.Integer(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('withdrawn_by', sa.Integer(), nullable=True),
    sa.Column('withdrawn_reason', sa.Text(), nullable=False),
    sa.CheckConstraint('(withdrawn_at IS NULL) = (withdrawn_by IS NULL)', name=op.f('ck_script_marks_withdrawn')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_script_marks_account_id_accounts')),
    sa.ForeignKeyConstraint(['script_id'], ['scripts.id'], name=op.f('fk_script_marks_script_id_scripts')),
    sa.ForeignKeyConstraint(['task_id'], ['marking_tasks.id'], name=op.f('fk_script_marks_task_id_marking_tasks')),
    sa.ForeignKeyConstraint(['withdrawn_by'], ['accounts.id'], name=op.f('fk_script_marks_withdrawn_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_script_marks'))
    )
    with op.batch_alter_table('script_marks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_script_marks_script_id'), ['script_id'], unique=False)
        batch_op.create_index('uq_script_marks_standing', ['task_id'], unique=True, sqlite_where=sa.text('withdrawn_at IS NULL'), postgresql_where=sa.text('withdrawn_at IS NULL'))

    with op.batch_alter_table('answer_events', schema=None) as batch_op:
        batch_op.add_column(sa.Column('chain', sa.String(length=64), server_default='', nullable=False))
        batch_op.alter_column('answer',
               existing_type=sa.VARCHAR(length=10),
               type_=sa.Text(),
               existing_nullable=False)

    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.alter_column('answer',
               existing_type=sa.VARCHAR(length=10),
               type_=sa.Text(),
               existing_nullable=False)

    with op.batch_alter_table('enrolments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('code_issue', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('code_reason', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('time_percent', sa.Integer(), server_default='100', nullable=False))
        batch_op.add_column(sa.Column('time_reason', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('photo_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_enrolments_photo_id_candidate_photos'), 'candidate_photos', ['photo_id'], ['id'])

    with op.batch_alter_table('exam_pages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('generation', sa.BigInteger(), server_default='0', nullable=False))

    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.add_column(sa.Column('withdrawn_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('withdrawn_why', sa.Text(), server_default='', nullable=False))

    with op.batch_alter_table('paper_items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('locked', sa.Boolean(), server_default='0', nullable=False))

    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('family_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('salt', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('opened_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.alter_column('form',
               existing_type=sa.VARCHAR(length=1),
               type_=sa.String(length=4),
               existing_nullable=False)
        batch_op.alter_column('seed',
               existing_type=sa.INTEGER(),
               type_=sa.BigInteger(),
               nullable=True)
        batch_op.create_index(batch_op.f('ix_papers_family_id'), ['family_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_papers_family_id_paper_families'), 'paper_families', ['family_id'], ['id'])

    with op.batch_alter_table('presences', schema=None) as batch_op:
        batch_op.add_column(sa.Column('address', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('left', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('clock_offset_ms', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('unsent', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('full_screen', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('read_notice', sa.Integer(), server_default='0', nullable=False))

    with op.batch_alter_table('results', schema=None) as batch_op:
        batch_op.add_column(sa.Column('verdict', sa.Enum('PASSED', 'FAILED', 'ABSENT', 'VOID', 'INCOMPLETE', name='verdict', native_enum=False), server_default='FAILED', nullable=False))
        batch_op.add_column(sa.Column('counted', sa.JSON(), server_default='{}', nullable=False))

    with op.batch_alter_table('rooms', schema=None) as batch_op:
        batch_op.add_column(sa.Column('columns', sa.Integer(), nullable=True))

    with op.batch_alter_table('sheets', schema=None) as batch_op:
        batch_op.add_column(sa.Column('paper_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('ends_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('paused_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('late_until', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('admission', sa.Enum('ADMITTED', 'REFUSED', name='admission', native_enum=False, length=10), nullable=True))
        batch_op.add_column(sa.Column('generation', sa.BigInteger(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('highest', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('chain', sa.String(length=64), server_default='0000000000000000000000000000000000000000000000000000000000000000', nullable=False))
        batch_op.create_index(batch_op.f('ix_sheets_paper_id'), ['paper_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_sheets_paper_id_papers'), 'papers', ['paper_id'], ['id'])

    data_0004.before(op.get_bind())
    with op.batch_alter_table('sittings', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seb_required', sa.Boolean(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('seb_quit_hash', sa.String(length=64), server_default='', nullable=False))
        batch_op.drop_constraint(batch_op.f('fk_sittings_paper_id_papers'), type_='foreignkey')
        batch_op.drop_column('paper_id')

    with op.batch_alter_table('specifications', schema=None) as batch_op:
        batch_op.add_column(sa.Column('root_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('number', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('reason', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('instructions', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('calculator', sa.Boolean(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('rules', sa.JSON(), server_default='{}', nullable=False))
        batch_op.create_index(batch_op.f('ix_specifications_root_id'), ['root_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_specifications_root_id_number'), ['root_id', 'number'])
        batch_op.create_foreign_key(batch_op.f('fk_specifications_root_id_specifications'), 'specifications', ['root_id'], ['id'])

    with op.batch_alter_table('time_entries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.Enum('PROFILE', 'INTERRUPTION', 'ROOM', 'PAUSE', name='timekind', native_enum=False), server_default='ROOM', nullable=False))
    data_0004.after(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
