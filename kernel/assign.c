/* The assignment problem: for each of n rows a column of its own, of the largest sum of values (D. Crouse, On implementing
 * 2D rectangular assignment algorithms, 2016; as scipy's linear_sum_assignment, ties included).
 *
 * Rows are assigned one after the other, each along the shortest path that ends at a free column; the prices of rows and
 * columns keep all reduced costs from going below zero. `work` holds 3 * n numbers, `marks` 5 * n. */
static void assign(const double *values, int32_t n, int32_t *column_of, double *work, int32_t *marks) {
    double *row_price = work, *column_price = work + n, *shortest = work + 2 * n;
    int32_t *row_of = marks, *from = marks + n, *left = marks + 2 * n, *row_seen = marks + 3 * n, *column_seen = marks + 4 * n;
    for (int32_t i = 0; i < n; i++) row_price[i] = column_price[i] = 0, column_of[i] = row_of[i] = -1;
    for (int32_t start = 0; start < n; start++) {
        int32_t row = start, sink = -1, count = n;
        double least = 0;
        for (int32_t j = 0; j < n; j++) {
            left[j] = n - 1 - j, from[j] = -1, row_seen[j] = column_seen[j] = 0;
            shortest[j] = __builtin_inf();
        }
        while (sink < 0) {
            int32_t at = 0;
            double lowest = __builtin_inf();
            row_seen[row] = 1;
            for (int32_t k = 0; k < count; k++) {
                int32_t j = left[k];
                double cost = least - values[(int64_t)row * n + j] - row_price[row] - column_price[j];
                if (cost < shortest[j]) shortest[j] = cost, from[j] = row;
                /* Of equally near columns a free one. */
                if (shortest[j] < lowest || (shortest[j] == lowest && row_of[j] < 0)) lowest = shortest[j], at = k;
            }
            least = lowest;
            int32_t column = left[at];
            if (row_of[column] < 0)
                sink = column;
            else
                row = row_of[column];
            column_seen[column] = 1;
            left[at] = left[--count];
        }
        row_price[start] += least;
        for (int32_t i = 0; i < n; i++)
            if (row_seen[i] && i != start) row_price[i] += least - shortest[column_of[i]];
        for (int32_t j = 0; j < n; j++)
            if (column_seen[j]) column_price[j] -= least - shortest[j];
        for (int32_t column = sink, assigned = -1; assigned != start;) {
            assigned = from[column];
            row_of[column] = assigned;
            int32_t before = column_of[assigned];
            column_of[assigned] = column;
            column = before;
        }
    }
}
