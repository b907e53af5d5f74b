"""Statistics by runs, with their history, calibration and forms; what was stored before becomes the first run."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('statistic_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('occasion', sa.String(length=200), nullable=False),
    sa.Column('persons', sa.Integer(), nullable=False),
    sa.Column('sittings', sa.Integer(), nullable=False),
    sa.Column('model', sa.String(length=10), nullable=False),
    sa.Column('converged', sa.Boolean(), nullable=True),
    sa.Column('log_likelihood', sa.Double(), nullable=True),
    sa.Column('gradient_norm', sa.Double(), nullable=True),
    sa.Column('iterations', sa.Integer(), nullable=True),
    sa.Column('nodes', sa.Integer(), nullable=True),
    sa.Column('scale', sa.JSON(), server_default='{}', nullable=False),
    sa.Column('abilities', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('notes', sa.JSON(), server_default='[]', nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_statistic_runs_institution_id_institutions')),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_statistic_runs_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statistic_runs'))
    )
    with op.batch_alter_table('statistic_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statistic_runs_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statistic_runs_table_id'), ['table_id'], unique=False)

    op.create_table('form_statistics',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('paper_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('items', sa.Integer(), nullable=False),
    sa.Column('mean', sa.Double(), nullable=True),
    sa.Column('sd', sa.Double(), nullable=True),
    sa.Column('passed', sa.Integer(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('versions', sa.JSON(), nullable=False),
    sa.Column('worth', sa.JSON(), nullable=False),
    sa.Column('distribution', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['statistic_runs.id'], name=op.f('fk_form_statistics_run_id_statistic_runs')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_statistics')),
    sa.UniqueConstraint('run_id', 'paper_id', name=op.f('uq_form_statistics_run_id_paper_id'))
    )
    with op.batch_alter_table('form_statistics', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_form_statistics_paper_id'), ['paper_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_form_statistics_run_id'), ['run_id'], unique=False)

    op.execute(sa.text("""
        INSERT INTO statistic_runs (institution_id, table_id, made_at, occasion, persons, sittings, model)
        SELECT items.institution_id, items.table_id, MAX(item_statistics.computed_at), '升级前的统计',
               MAX(item_statistics.n), 1, ''
        FROM item_statistics JOIN item_versions ON item_versions.id = item_statistics.version_id
             JOIN items ON items.id = item_versions.item_id
        GROUP BY items.institution_id, items.table_id"""))
    with op.batch_alter_table('item_statistics', schema=None) as batch_op:
        batch_op.add_column(sa.Column('run_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('current', sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column('difficulty_low', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('difficulty_high', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('shrunk', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('expert', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('biserial', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('upper_lower', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('not_reached', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('options', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('a', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('b', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('c', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('se_a', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('se_b', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('se_c', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('fit_p', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('infit', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('outfit', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('intervals', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('drift_p', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('observed', sa.JSON(), server_default='[]', nullable=False))
    op.execute(sa.text("""
        UPDATE item_statistics SET run_id = (
            SELECT statistic_runs.id FROM statistic_runs
            JOIN items ON items.institution_id = statistic_runs.institution_id AND items.table_id = statistic_runs.table_id
            JOIN item_versions ON item_versions.item_id = items.id
            WHERE item_versions.id = item_statistics.version_id)"""))
    with op.batch_alter_table('item_statistics', schema=None) as batch_op:
        batch_op.alter_column('run_id', existing_type=sa.Integer(), nullable=False)
        batch_op.drop_constraint(batch_op.f('uq_item_statistics_version_id'), type_='unique')
        batch_op.create_index(batch_op.f('ix_item_statistics_run_id'), ['run_id'], unique=False)
        batch_op.create_index('uq_item_statistics_current', ['version_id'], unique=True, sqlite_where=sa.text('current'), postgresql_where=sa.text('current'))
        batch_op.create_unique_constraint(batch_op.f('uq_item_statistics_version_id_run_id'), ['version_id', 'run_id'])
        batch_op.drop_constraint(batch_op.f('fk_item_statistics_version_id_item_versions'), type_='foreignkey')
        batch_op.create_foreign_key(batch_op.f('fk_item_statistics_run_id_statistic_runs'), 'statistic_runs', ['run_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_item_statistics_version_id_item_versions'), 'item_versions', ['version_id'], ['id'], ondelete='CASCADE')

    op.create_table('sitting_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sitting_id', sa.Integer(), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('found', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['sitting_id'], ['sittings.id'], name=op.f('fk_sitting_reports_sitting_id_sittings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting_reports')),
    sa.UniqueConstraint('sitting_id', name=op.f('uq_sitting_reports_sitting_id'))
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
